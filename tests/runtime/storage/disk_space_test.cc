#include "runtime/storage/disk_space.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/shuffle/store/temporary_directory.h"

namespace spillway {
namespace {

bool Near(std::uint64_t one, std::uint64_t other) {  // Others write, too.
  const std::uint64_t apart = one > other ? one - other : other - one;
  return apart < one / 4;
}

TEST(DiskSpace, AFileSystemCountsOnceHoweverManyDirectoriesLieOnIt) {
  TemporaryDirectory a, b;
  const std::uint64_t one = FreeBytesOfAll({a.path()});
  ASSERT_GT(one, 0u);
  EXPECT_TRUE(Near(one, FreeBytesOfAll({a.path(), b.path(), a.path()})));
}

TEST(DiskSpace, DifferentFileSystemsAddUp) {
  TemporaryDirectory a;
  struct stat here {
  }, shm{};
  ASSERT_EQ(::stat(a.path().c_str(), &here), 0);
  if (::stat("/dev/shm", &shm) != 0 || shm.st_dev == here.st_dev)
    GTEST_SKIP() << "no second file system";
  const std::uint64_t one = FreeBytesOfAll({a.path()});
  const std::uint64_t other = FreeBytesOfAll({"/dev/shm"});
  ASSERT_GT(other, 0u);
  const std::uint64_t both = FreeBytesOfAll({a.path(), "/dev/shm"});
  EXPECT_GT(both, std::max(one, other) - std::min(one, other) / 2);
  EXPECT_TRUE(Near(one + other, both));
}

TEST(DiskSpace, ADirectoryThatIsNotThereHasNone) {
  EXPECT_EQ(FreeBytesOfAll({"/nowhere/at/all"}), 0u);
  EXPECT_EQ(FreeBytesOfAll({}), 0u);
}

}  // namespace
}  // namespace spillway
