#include "runtime/storage/directory_exchange.h"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "runtime/storage/attempt_output.h"
#include "runtime/storage/input_files.h"
#include "runtime/storage/output_staging.h"
#include "runtime/storage/owner_marker.h"
#include "runtime/storage/posix_file_system.h"
#include "tests/runtime/storage/failing_file_system.h"

namespace spillway {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

using Tree = std::map<std::string, std::string>;

/// Jobs that write to directories, through OutputStaging: the exchange is how it publishes them.
class DirectoryExchangeTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "exchange-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    dir_ = name;
  }
  void TearDown() override { fs::remove_all(dir_); }

  StagingOptions Options(const std::string& job_id, const std::string& owner = "cluster c") {
    StagingOptions options;
    options.output_dir = dir_ + "/out";
    options.job_id = job_id;
    options.parts = 1;
    options.overwrite = Overwrite::kDirectories;
    options.has_parts = false;
    options.durable = false;  // power_cut_test.cc is about that.
    options.owner = owner;
    return options;
  }

  CommittedPart Write(const std::string& staging_dir, const Tree& texts) {
    AttemptOutputOptions options;
    options.staging_dir = staging_dir;
    options.has_part = false;
    options.file.durable = false;
    auto output = AttemptOutput::Create(files_, budget_, options);
    EXPECT_TRUE(output.ok()) << output.status().message();
    for (const auto& [directory, text] : texts)
      EXPECT_TRUE((*output)->AppendTo(directory, text, 1).ok());
    EXPECT_TRUE((*output)->Finish().ok());
    return {0, 0, (*output)->info()};
  }

  /// A job from its beginning to its end.
  Status RunJob(const StagingOptions& options, const Tree& texts) {
    auto staging = OutputStaging::Create(files_, options);
    EXPECT_TRUE(staging.ok()) << staging.status().message();
    const CommittedPart part = Write((*staging)->staging_dir(), texts);
    const Status status = (*staging)->CommitJob("", {&part, 1});
    if (!status.ok()) (*staging)->Discard();
    return status;
  }

  void Put(const std::string& path, const std::string& text) {
    fs::create_directories(fs::path(dir_ + "/out/" + path).parent_path());
    std::ofstream(dir_ + "/out/" + path) << text;
  }

  /// The content of all files of the output but manifests, by directory.
  Tree Found() {
    Tree found;
    for (const auto& entry : fs::recursive_directory_iterator(dir_ + "/out")) {
      if (!entry.is_regular_file() || entry.path().filename() == "_manifest.json") continue;
      std::ostringstream text;
      text << std::ifstream(entry.path()).rdbuf();
      const std::string place = fs::relative(entry.path(), dir_ + "/out").string();
      found[place] = text.str();
    }
    return found;
  }

  std::vector<std::string> Names() { return files_.List(dir_).value(); }

  PosixFileSystem files_;
  MemoryBudget budget_{1 << 20};
  std::string dir_;
};

TEST_F(DirectoryExchangeTest, ReplacesWhatTheJobWroteAndLeavesTheRest) {
  ASSERT_TRUE(RunJob(Options("a"), {{"d=1/h=1", "11"}, {"d=1/h=2", "12"}, {"d=2/h=1", "21"}}).ok());
  Put("d=1/h=1/stray", "goes with its directory");
  const auto inode = files_.Stat(dir_ + "/out/d=2/h=1")->inode;
  ASSERT_TRUE(RunJob(Options("b"), {{"d=1/h=1", "new"}, {"d=3/h=1", "31"}}).ok());
  const Tree expected = {{"_SUCCESS", ""},
                         {"d=1/h=1/part-00000", "new"},
                         {"d=1/h=2/part-00000", "12"},
                         {"d=2/h=1/part-00000", "21"},
                         {"d=3/h=1/part-00000", "31"}};
  EXPECT_EQ(Found(), expected);
  EXPECT_EQ(files_.Stat(dir_ + "/out/d=2/h=1")->inode, inode);
  EXPECT_THAT(Names(), ElementsAre("out"));
  EXPECT_THAT(files_.List(dir_ + "/out/d=1/h=1").value(),
              ElementsAre("_manifest.json", "part-00000"));
  ASSERT_TRUE(RunJob(Options("c"), {{"d=1/h=1", "new"}, {"d=3/h=1", "31"}}).ok());
  EXPECT_EQ(Found(), expected);
}

TEST_F(DirectoryExchangeTest, AJobWithoutResultsChangesNothing) {
  ASSERT_TRUE(RunJob(Options("a"), {{"d=1", "1"}}).ok());
  ASSERT_TRUE(RunJob(Options("b"), {}).ok());
  EXPECT_EQ(Found(), (Tree{{"_SUCCESS", ""}, {"d=1/part-00000", "1"}}));
}

TEST_F(DirectoryExchangeTest, AnotherLayoutIsNotReplaced) {
  Put("d=1/h=1/part-00000", "old");
  Put("d=2/part-00000", "old");
  fs::create_directory(dir_ + "/elsewhere");
  fs::create_directory_symlink("../elsewhere", dir_ + "/out/d=3");
  const Tree before = Found();
  struct Case {
    Tree texts;
    const char* why;
  };
  for (const Case& c :
       std::vector<Case>{{{{"d=0", "x"}, {"d=1", "x"}}, "d=1' is parted further"},
                         {{{"d=0", "x"}, {"d=2/h=1", "x"}}, "holds the file"},
                         {{{"d=0", "x"}, {"d=3", "x"}}, "symbolic link"},
                         {{{"d=0", "x"}, {"d=3/h=1", "x"}}, "symbolic link"},
                         {{{"d=0", "x"}, {"d=0/h=1", "x"}}, "one without the other"}}) {
    const Status status = RunJob(Options("job"), c.texts);
    EXPECT_EQ(status.code(), Code::kAlreadyExists) << status.message();
    EXPECT_THAT(status.message(), HasSubstr(c.why));
    EXPECT_EQ(Found(), before);
    EXPECT_THAT(Names(), ElementsAre("elsewhere", "out"));
  }
  Put("d=4", "a file");
  const Status status = RunJob(Options("job"), {{"d=4", "x"}});
  EXPECT_THAT(status.message(), HasSubstr("holds the file 'd=4'"));
}

TEST_F(DirectoryExchangeTest, ADirectoryThatNoJobHasWrittenIsNotReplaced) {
  Put("d=1/mine", "data");
  const Status status = RunJob(Options("job"), {{"d=0", "x"}, {"d=1", "x"}});
  EXPECT_EQ(status.code(), Code::kAlreadyExists) << status.message();
  EXPECT_THAT(status.message(), HasSubstr("d=1' has files in it that no job has written"));
  EXPECT_EQ(Found(), (Tree{{"d=1/mine", "data"}}));
  EXPECT_THAT(Names(), ElementsAre("out"));
  // Spark describes a table as a whole.
  Put("_SUCCESS", "");
  ASSERT_TRUE(RunJob(Options("again"), {{"d=1", "x"}}).ok());
  EXPECT_EQ(Found(), (Tree{{"_SUCCESS", ""}, {"d=1/part-00000", "x"}}));
}

// A job that has put its own directories beside it has not written it.
TEST_F(DirectoryExchangeTest, ADirectoryThatNoJobHasWrittenIsNeverReplaced) {
  Put("d=1/mine", "data");
  for (int run = 0; run < 2; ++run) {
    EXPECT_EQ(RunJob(Options("a"), {{"d=1", "x"}}).code(), Code::kAlreadyExists);
    const Status status = RunJob(Options("b"), {{"d=2", run == 0 ? "old" : "new"}});
    ASSERT_TRUE(status.ok()) << status.message();
  }
  EXPECT_EQ(RunJob(Options("c"), {{"d=1", "x"}, {"d=2", "x"}}).code(), Code::kAlreadyExists);
  StagingOptions whole = Options("d");
  whole.overwrite = Overwrite::kWhole;
  EXPECT_EQ(OutputStaging::Create(files_, whole).status().code(), Code::kAlreadyExists);
  EXPECT_EQ(Found(), (Tree{{"_SUCCESS", ""}, {"d=1/mine", "data"}, {"d=2/part-00000", "new"}}));
  fs::remove_all(dir_ + "/out/d=1");
  EXPECT_TRUE(RunJob(whole, {{"d=3", "x"}}).ok());
  EXPECT_EQ(Found(), (Tree{{"_SUCCESS", ""}, {"d=3/part-00000", "x"}}));
}

// Kills the coordinator before each change that CommitJob makes. Whoever looks then sees each
// directory whole, old or new; the next coordinator, or a rerun of the job, finishes it.
TEST_F(DirectoryExchangeTest, CanBeRepeatedFromAnyPoint) {
  const Tree old = {{"d=1/h=1", "old"}, {"d=1/h=2", "old"}, {"d=9/h=9", "stays"}};
  const Tree fresh = {{"d=1/h=1", "new1"}, {"d=1/h=2", "new22"}, {"d=2/h=1", "new3"}};
  const Tree expected = {{"_SUCCESS", ""},
                         {"d=1/h=1/part-00000", "new1"},
                         {"d=1/h=2/part-00000", "new22"},
                         {"d=2/h=1/part-00000", "new3"},
                         {"d=9/h=9/part-00000", "stays"}};
  bool finished = false;
  int mixed = 0;
  for (int changes = 0; !finished; ++changes) {
    SCOPED_TRACE("killed after " + std::to_string(changes) + " changes");
    ASSERT_LT(changes, 200);
    fs::remove_all(dir_ + "/out");
    ASSERT_TRUE(RunJob(Options("before"), old).ok());
    const StagingOptions options = Options("job");
    const std::string place = OutputStaging::Create(files_, options).value()->staging_dir();
    const CommittedPart part = Write(place, fresh);
    {
      FailingFileSystem failing(changes);
      auto adopted = OutputStaging::Adopt(failing, options, place);
      if (adopted.ok()) finished = (*adopted)->CommitJob("", {&part, 1}).ok() && !failing.failed();
    }
    int replaced = 0;
    for (const auto& [directory, text] : old) {
      const std::string found = Found()[directory + "/part-00000"];
      const bool is_new = fresh.contains(directory) && found == fresh.at(directory);
      EXPECT_TRUE(is_new || found == text) << directory << ": " << found;
      replaced += is_new ? 1 : 0;
    }
    mixed += replaced == 1 ? 1 : 0;
    for (int repeat = 0; repeat < 2; ++repeat) {
      auto adopted = OutputStaging::Adopt(files_, options, place);
      ASSERT_TRUE(adopted.ok()) << adopted.status().message();
      const Status status = (*adopted)->CommitJob("", {&part, 1});
      ASSERT_TRUE(status.ok()) << status.message();
      EXPECT_EQ(Found(), expected);
      EXPECT_THAT(Names(), ElementsAre("out"));
    }
  }
  EXPECT_GT(mixed, 0);
}

// A process that is killed in the middle leaves old and new directories; the next run repairs it
// and leaves no mark behind.
TEST_F(DirectoryExchangeTest, ARerunRepairsWhatAKilledProcessLeft) {
  const Tree fresh = {{"d=1", "new"}, {"d=2", "new"}};
  int marks = 0;
  for (int changes = 0; changes < 60; ++changes) {
    fs::remove_all(dir_ + "/out");
    ASSERT_TRUE(RunJob(Options("before"), {{"d=1", "old"}, {"d=2", "old"}}).ok());
    const pid_t child = ::fork();
    if (child == 0) {
      auto staging = OutputStaging::Create(files_, Options("killed", ""));
      const std::string place = (*staging)->staging_dir();
      const CommittedPart part = Write(place, fresh);
      FailingFileSystem failing(changes);
      // As this process, in which every call fails from some point on.
      StagingOptions same = Options("killed", "");
      DirectoryExchange exchange(failing, {place, same.output_dir, same.job_id});
      const auto tree = OutputTree::Of({&part, 1}, 1, false);
      for (const auto& [directory, unused] : tree->directories()) {
        if (directory.empty()) continue;
        fs::create_directories(place + "/" + directory);
        fs::rename(place + "/" + tree->directories().at(directory)[0].attempt,
                   place + "/" + directory + "/part-00000");
        std::ofstream(place + "/" + directory + "/_manifest.json")
            << tree->ManifestOf(directory, "");
      }
      std::ofstream(place + "/_manifest.json") << tree->ManifestOf("", "");
      std::ofstream(place + "/_SUCCESS");
      if (exchange.Begin(*tree).ok())
        static_cast<void>(exchange.Run(*tree, tree->ManifestOf("", "")).ok());
      ::_exit(0);  // Without cleaning up.
    }
    int state = 0;
    ASSERT_EQ(::waitpid(child, &state, 0), child);
    ASSERT_TRUE(WIFEXITED(state) && WEXITSTATUS(state) == 0);
    for (const auto& [path, text] : Found()) marks += path.find(".spillway-") != path.npos ? 1 : 0;
    ASSERT_TRUE(RunJob(Options("again", ""), {{"d=2", "new"}}).ok());
    const Tree found = Found();
    EXPECT_EQ(found.size(), 3u);
    EXPECT_EQ(found.at("d=2/part-00000"), "new");
    EXPECT_THAT(found.at("d=1/part-00000"), testing::AnyOf("old", "new"));
    EXPECT_THAT(Names(), ElementsAre("out"));
  }
  EXPECT_GT(marks, 0);
}

// A process that is killed when its output has just become visible leaves its markers there. They
// are no data of the output, and no layout.
TEST_F(DirectoryExchangeTest, AnOutputWhoseJobWasKilledAfterPublishingIsReadAndReplaced) {
  ASSERT_TRUE(RunJob(Options("before"), {{"d=1", "old"}, {"d=2", "old"}}).ok());
  const auto names = files_.List(dir_ + "/out").value();
  const pid_t child = ::fork();
  if (child == 0) {
    const bool marked = WriteOwnerMarker(files_, dir_ + "/out").ok();
    std::ofstream(dir_ + "/out/_SPILLWAY_REPLACED") << ".out.spillway-killed";
    ::_exit(marked ? 0 : 1);
  }
  int state = 0;
  ASSERT_EQ(::waitpid(child, &state, 0), child);
  ASSERT_TRUE(WIFEXITED(state) && WEXITSTATUS(state) == 0);
  const auto listed = ListInputFiles(files_, {dir_ + "/out"});
  ASSERT_TRUE(listed.ok()) << listed.status().message();
  EXPECT_EQ(listed->files.size(), 2u);
  const Status status = RunJob(Options("again", ""), {{"d=2", "new"}});
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(files_.List(dir_ + "/out").value(), names) << "the markers went with the next commit";
}

}  // namespace
}  // namespace spillway
