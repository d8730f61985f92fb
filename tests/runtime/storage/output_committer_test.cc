#include "runtime/storage/output_committer.h"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "runtime/storage/owner_marker.h"
#include "runtime/storage/posix_file_system.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class OutputCommitterTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "committer-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    dir_ = name;
  }
  void TearDown() override { EXPECT_TRUE(files_.RemoveTree(dir_).ok()); }

  std::unique_ptr<OutputCommitter> Create(std::uint32_t parts, bool overwrite = false) {
    auto committer = OutputCommitter::Create(
        files_, {dir_ + "/out", "job" + std::to_string(jobs_++), parts, overwrite, true});
    EXPECT_TRUE(committer.ok()) << committer.status().message();
    return committer.ok() ? std::move(committer).value() : nullptr;
  }

  void WritePart(OutputCommitter& committer, std::uint32_t part, std::uint32_t attempt,
                 const std::string& text) {
    auto file = committer.CreatePart(part, attempt);
    ASSERT_TRUE(file.ok()) << file.status().message();
    ASSERT_TRUE((*file)->Append(text).ok());
    ASSERT_TRUE((*file)->Finish().ok());
    PartInfo info = (*file)->info();
    info.records = 1;
    ASSERT_TRUE(committer.CommitPart(part, attempt, info).ok());
  }

  std::string Read(const std::string& name) {
    std::ifstream file(dir_ + "/out/" + name);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }

  std::vector<std::string> Names(const std::string& path) {
    auto names = files_.List(path);
    return names.ok() ? *names : std::vector<std::string>{"(none)"};
  }

  PosixFileSystem files_;
  std::string dir_;
  int jobs_ = 0;
};

TEST_F(OutputCommitterTest, NothingIsVisibleBeforeTheJobIsCommitted) {
  auto committer = Create(2);
  WritePart(*committer, 1, 0, "b");
  WritePart(*committer, 0, 3, "a");
  EXPECT_FALSE(files_.Stat(dir_ + "/out").ok());
  ASSERT_TRUE(committer->CommitJob("").ok());
  EXPECT_THAT(Names(dir_ + "/out"),
              ElementsAre("_SUCCESS", "_manifest.json", "part-00000", "part-00001"));
  EXPECT_EQ(Read("part-00000") + Read("part-00001"), "ab");
  EXPECT_THAT(Read("_manifest.json"), HasSubstr(R"("name": "part-00001", "bytes": 1)"));
  committer.reset();
  EXPECT_THAT(Names(dir_), ElementsAre("out"));
}

TEST_F(OutputCommitterTest, AJobThatIsNotCommittedLeavesNothing) {
  auto committer = Create(1);
  WritePart(*committer, 0, 0, "x");
  committer.reset();
  EXPECT_THAT(Names(dir_), ElementsAre());
}

TEST_F(OutputCommitterTest, APartIsCommittedOnce) {
  auto committer = Create(1);
  WritePart(*committer, 0, 0, "first");
  WritePart(*committer, 0, 1, "second");
  ASSERT_TRUE(committer->CommitJob("").ok());
  EXPECT_EQ(Read("part-00000"), "first");
  EXPECT_THAT(Read("_manifest.json"), HasSubstr(R"("bytes": 5)"));
}

TEST_F(OutputCommitterTest, AMissingPartStopsTheCommit) {
  auto committer = Create(2);
  WritePart(*committer, 0, 0, "x");
  EXPECT_EQ(committer->CommitJob("").code(), Code::kInternal);
  EXPECT_FALSE(files_.Stat(dir_ + "/out").ok());
}

TEST_F(OutputCommitterTest, AnExistingDirectoryIsNeverReplacedUnasked) {
  ASSERT_TRUE(files_.MakeDirectory(dir_ + "/out", 0755).ok());
  const auto refused = OutputCommitter::Create(files_, {dir_ + "/out", "j", 1, false, true});
  EXPECT_EQ(refused.status().code(), Code::kAlreadyExists);
}

TEST_F(OutputCommitterTest, ADirectoryThatAppearsMeanwhileIsNotReplaced) {
  auto committer = Create(1);
  WritePart(*committer, 0, 0, "x");
  ASSERT_TRUE(files_.MakeDirectory(dir_ + "/out", 0755).ok());
  EXPECT_EQ(committer->CommitJob("").code(), Code::kAlreadyExists);
  EXPECT_THAT(Names(dir_ + "/out"), ElementsAre());
  committer.reset();
  EXPECT_THAT(Names(dir_), ElementsAre("out"));
}

TEST_F(OutputCommitterTest, OverwriteExchangesTheWholeDirectory) {
  auto first = Create(2);
  WritePart(*first, 0, 0, "old");
  WritePart(*first, 1, 0, "old");
  ASSERT_TRUE(first->CommitJob("").ok());
  auto second = Create(1, /*overwrite=*/true);
  WritePart(*second, 0, 0, "new");
  EXPECT_EQ(Read("part-00000"), "old");
  ASSERT_TRUE(second->CommitJob("").ok());
  EXPECT_THAT(Names(dir_ + "/out"), ElementsAre("_SUCCESS", "_manifest.json", "part-00000"));
  EXPECT_EQ(Read("part-00000"), "new");
  EXPECT_THAT(Names(dir_), ElementsAre("out"));
}

TEST_F(OutputCommitterTest, LeftoversOfADeadProcessGoAndOthersStay) {
  // A child stages for the same output and dies without cleaning up.
  const pid_t child = ::fork();
  if (child == 0) {
    auto staged = OutputCommitter::Create(files_, {dir_ + "/out", "dead", 1, false, true});
    ::_exit(staged.ok() ? 0 : 1);
  }
  int state = 0;
  ASSERT_EQ(::waitpid(child, &state, 0), child);
  ASSERT_EQ(WEXITSTATUS(state), 0);
  ASSERT_TRUE(files_.MakeDirectory(dir_ + "/.out.spillway-foreign", 0755).ok());
  auto alive = Create(1);
  EXPECT_THAT(Names(dir_), ElementsAre(".out.spillway-foreign", ".out.spillway-job0"));
  auto also_alive = Create(1);
  EXPECT_THAT(Names(dir_),
              ElementsAre(".out.spillway-foreign", ".out.spillway-job0", ".out.spillway-job1"));
}

}  // namespace
}  // namespace spillway
