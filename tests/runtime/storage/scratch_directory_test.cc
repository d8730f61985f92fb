#include "runtime/storage/scratch_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "runtime/storage/process_identity.h"
#include "tests/shuffle/store/temporary_directory.h"

namespace spillway {
namespace {

using testing::HasSubstr;

class ScratchDirectoryTest : public testing::Test {
 protected:
  std::string UserDirectory() { return spill_.path() + "/spillway-" + std::to_string(::geteuid()); }

  static void Write(const std::string& path, const std::string& content) {
    std::ofstream(path) << content;
    ASSERT_TRUE(std::filesystem::exists(path));
  }

  static std::string Marker(const std::string& directory) {
    std::ifstream in(directory + "/" + ScratchDirectory::kMarkerName);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  }

  // The scratch directory of a process that was killed and is waited for.
  std::string LeaveBehind(const std::string& job_id) {
    int ready[2];
    EXPECT_EQ(::pipe(ready), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      const auto scratch = ScratchDirectory::Create(spill_.path(), job_id);
      if (!scratch.ok()) ::_exit(1);
      std::ofstream((*scratch)->path() + "/segment") << "bytes";
      std::filesystem::create_directories((*scratch)->path() + "/a/b");
      const std::string path = (*scratch)->path();
      if (::write(ready[1], path.data(), path.size()) < 0) ::_exit(1);
      ::pause();
    }
    char path[4096];
    const ssize_t bytes = ::read(ready[0], path, sizeof path);
    EXPECT_GT(bytes, 0);
    ::kill(child, SIGKILL);
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    ::close(ready[0]);
    ::close(ready[1]);
    return std::string(path, static_cast<std::size_t>(bytes));
  }

  TemporaryDirectory spill_;
};

TEST_F(ScratchDirectoryTest, IsPrivateAndGoesWithItsOwner) {
  std::string path;
  {
    const auto scratch = ScratchDirectory::Create(spill_.path(), "42");
    ASSERT_TRUE(scratch.ok()) << scratch.status().message();
    path = (*scratch)->path();
    EXPECT_EQ(path, UserDirectory() + "/job-42");
    for (const std::string& directory : {UserDirectory(), path}) {
      struct stat info = {};
      ASSERT_EQ(::stat(directory.c_str(), &info), 0);
      EXPECT_EQ(info.st_mode & 07777, 0700u);
    }
    Write(path + "/segment", "bytes");
    std::filesystem::create_directories(path + "/deep/er");
  }
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_TRUE(std::filesystem::exists(UserDirectory())) << "other runs share it";
}

TEST_F(ScratchDirectoryTest, RunsWithTheSameIdDoNotMeet) {
  const auto first = ScratchDirectory::Create(spill_.path(), "1");
  const auto second = ScratchDirectory::Create(spill_.path(), "1");
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_NE((*first)->path(), (*second)->path());
}

TEST_F(ScratchDirectoryTest, IdsThatLeadElsewhereAreRefused) {
  for (const std::string& id : {std::string("../x"), std::string("a/b"), std::string(""),
                                std::string("a\0b", 3), std::string(200, 'x')})
    EXPECT_EQ(ScratchDirectory::Create(spill_.path(), id).status().code(), Code::kInvalidArgument);
}

TEST_F(ScratchDirectoryTest, MissingSpillDirectoryIsNamed) {
  const auto scratch = ScratchDirectory::Create(spill_.path() + "/none", "1");
  EXPECT_EQ(scratch.status().code(), Code::kNotFound);
  EXPECT_THAT(scratch.status().message(), HasSubstr(spill_.path() + "/none"));
  EXPECT_EQ(*ScratchDirectory::RemoveLeftovers(spill_.path() + "/none"), 0u);
}

TEST_F(ScratchDirectoryTest, PlantedLinkIsNotFollowed) {
  TemporaryDirectory elsewhere;
  std::filesystem::create_directory_symlink(elsewhere.path(), UserDirectory());
  EXPECT_EQ(ScratchDirectory::Create(spill_.path(), "1").status().code(), Code::kPermissionDenied);
  EXPECT_FALSE(ScratchDirectory::RemoveLeftovers(spill_.path()).ok());
  EXPECT_TRUE(std::filesystem::is_empty(elsewhere.path()));
}

TEST_F(ScratchDirectoryTest, DirectoryThatIsOpenToOthersIsRefused) {
  std::filesystem::create_directory(UserDirectory());
  ASSERT_EQ(::chmod(UserDirectory().c_str(), 0770), 0);
  const auto scratch = ScratchDirectory::Create(spill_.path(), "1");
  EXPECT_EQ(scratch.status().code(), Code::kPermissionDenied);
  EXPECT_THAT(scratch.status().message(), HasSubstr("open to other users"));
}

TEST_F(ScratchDirectoryTest, DirectoryOfAnotherUserIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a directory away";
  std::filesystem::create_directory(UserDirectory());
  ASSERT_EQ(::chmod(UserDirectory().c_str(), 0700), 0);
  ASSERT_EQ(::chown(UserDirectory().c_str(), 12345, 12345), 0);
  const auto scratch = ScratchDirectory::Create(spill_.path(), "1");
  EXPECT_EQ(scratch.status().code(), Code::kPermissionDenied);
  EXPECT_THAT(scratch.status().message(), HasSubstr("belongs to user 12345"));
}

TEST_F(ScratchDirectoryTest, LeftoversOfAKilledProcessAreRemovedAndOthersKept) {
  const std::string dead = LeaveBehind("7");
  EXPECT_TRUE(std::filesystem::exists(dead + "/segment"));
  const auto alive = ScratchDirectory::Create(spill_.path(), "8");
  ASSERT_TRUE(alive.ok());
  Write((*alive)->path() + "/segment", "bytes");
  std::filesystem::create_directory(UserDirectory() + "/job-unmarked");
  Write(UserDirectory() + "/job-unmarked/file", "somebody's");
  std::filesystem::create_directory_symlink((*alive)->path(), UserDirectory() + "/job-link");
  const auto removed = ScratchDirectory::RemoveLeftovers(spill_.path());
  ASSERT_TRUE(removed.ok()) << removed.status().message();
  EXPECT_EQ(*removed, 1u);
  EXPECT_FALSE(std::filesystem::exists(dead));
  EXPECT_TRUE(std::filesystem::exists((*alive)->path() + "/segment"));
  EXPECT_TRUE(std::filesystem::exists(UserDirectory() + "/job-unmarked/file"));
  EXPECT_EQ(*ScratchDirectory::RemoveLeftovers(spill_.path()), 0u);
}

TEST_F(ScratchDirectoryTest, RemovalThatWasCutShortIsTakenUpAgain) {
  const std::string dead = LeaveBehind("7");
  std::filesystem::remove(dead + "/segment");  // The marker goes last, so it is still there.
  EXPECT_EQ(*ScratchDirectory::RemoveLeftovers(spill_.path()), 1u);
}

TEST_F(ScratchDirectoryTest, EmptyDirectoriesOfProcessesThatDiedUnmarkedGo) {
  const std::string dead = LeaveBehind("7");
  for (const std::string name : {"segment", "a", ScratchDirectory::kMarkerName})
    std::filesystem::remove_all(dead + "/" + name);
  EXPECT_EQ(*ScratchDirectory::RemoveLeftovers(spill_.path()), 0u) << "it had no marker";
  EXPECT_FALSE(std::filesystem::exists(dead));
}

TEST_F(ScratchDirectoryTest, PidThatIsInUseAgainIsNotTakenForTheOwner) {
  const std::string dead = LeaveBehind("7");
  auto owner = ProcessIdentity::Parse(Marker(dead));
  ASSERT_TRUE(owner.has_value());
  owner->pid = static_cast<std::uint64_t>(::getpid());  // Lives, and started at another time.
  Write(dead + "/" + ScratchDirectory::kMarkerName, owner->Format());
  ASSERT_NE(owner->start_ticks, 0u);
  const bool same_tick = owner->start_ticks == ProcessIdentity::Self().start_ticks;
  if (same_tick) {
    ++owner->start_ticks;
    Write(dead + "/" + ScratchDirectory::kMarkerName, owner->Format());
  }
  EXPECT_EQ(*ScratchDirectory::RemoveLeftovers(spill_.path()), 1u);
}

TEST(ProcessIdentity, ThisProcessIsAliveAndOthersAreJudgedWithCare) {
  const ProcessIdentity self = ProcessIdentity::Self();
  EXPECT_GT(self.start_ticks, 0u);
  EXPECT_FALSE(self.IsDead());
  ProcessIdentity other = self;
  other.boot_id = "before the reboot";
  EXPECT_TRUE(other.IsDead());
  other.host = "another host";
  EXPECT_FALSE(other.IsDead()) << "its processes cannot be seen from here";
  other = self;
  other.pid_namespace = "pid:[1]";
  other.start_ticks += 1;
  EXPECT_FALSE(other.IsDead()) << "a container's processes cannot be seen from here";
  other = self;
  other.start_ticks += 1;
  EXPECT_TRUE(other.IsDead());
}

TEST(ProcessIdentity, ParsesExactlyWhatItFormats) {
  const ProcessIdentity self = ProcessIdentity::Self();
  const std::string text = self.Format();
  const auto parsed = ProcessIdentity::Parse(text);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->Format(), text);
  for (std::size_t bytes = 0; bytes < text.size(); ++bytes)
    EXPECT_FALSE(ProcessIdentity::Parse(text.substr(0, bytes)).has_value());
  EXPECT_FALSE(ProcessIdentity::Parse(text + "\n").has_value());
  EXPECT_FALSE(ProcessIdentity::Parse("pid 1\n").has_value());
}

}  // namespace
}  // namespace spillway
