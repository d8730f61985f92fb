#include "runtime/storage/output_staging.h"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "runtime/storage/attempt_output.h"
#include "runtime/storage/owner_marker.h"
#include "runtime/storage/posix_file_system.h"
#include "tests/runtime/storage/failing_file_system.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class OutputStagingTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "staging-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    dir_ = name;
  }
  void TearDown() override { EXPECT_TRUE(files_.RemoveTree(dir_).ok()); }

  StagingOptions Options(const std::string& job_id, std::uint32_t parts) {
    StagingOptions options;
    options.output_dir = dir_ + "/out";
    options.job_id = job_id;
    options.parts = parts;
    return options;
  }

  std::unique_ptr<OutputStaging> Create(const StagingOptions& options) {
    auto staging = OutputStaging::Create(files_, options);
    EXPECT_TRUE(staging.ok()) << staging.status().message();
    return staging.ok() ? std::move(staging).value() : nullptr;
  }
  std::unique_ptr<OutputStaging> Create(std::uint32_t parts,
                                        Overwrite overwrite = Overwrite::kNothing) {
    StagingOptions options = Options("job" + std::to_string(jobs_++), parts);
    options.overwrite = overwrite;
    return Create(options);
  }

  CommittedPart WritePart(const std::string& staging_dir, std::uint32_t part, std::uint32_t attempt,
                          const std::string& text) {
    auto file = PartFile::Create(files_, staging_dir, {.part = part, .attempt = attempt});
    EXPECT_TRUE(file.ok()) << file.status().message();
    EXPECT_TRUE((*file)->Append(text).ok());
    EXPECT_TRUE((*file)->Finish().ok());
    CommittedPart committed{part, attempt, (*file)->info()};
    committed.info.records = 1;
    return committed;
  }

  /// A part with further directories.
  CommittedPart WriteDirectories(const std::string& staging_dir, std::uint32_t part,
                                 std::uint32_t attempt, bool of_map,
                                 const std::vector<std::pair<std::string, std::string>>& texts) {
    AttemptOutputOptions options;
    options.staging_dir = staging_dir;
    options.file = {.part = part, .attempt = attempt, .of_map = of_map, .durable = false};
    options.has_part = !of_map;
    auto output = AttemptOutput::Create(files_, budget_, options);
    EXPECT_TRUE(output.ok()) << output.status().message();
    for (const auto& [directory, text] : texts)
      EXPECT_TRUE((*output)->AppendTo(directory, text, 1).ok());
    EXPECT_TRUE((*output)->Finish().ok());
    return {part, attempt, (*output)->info(), of_map};
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
  MemoryBudget budget_{1 << 20};
  std::string dir_;
  int jobs_ = 0;
};

TEST_F(OutputStagingTest, NothingIsVisibleBeforeTheJobIsCommitted) {
  auto staging = Create(2);
  const std::vector<CommittedPart> parts = {WritePart(staging->staging_dir(), 1, 0, "b"),
                                            WritePart(staging->staging_dir(), 0, 3, "a")};
  EXPECT_FALSE(files_.Stat(dir_ + "/out").ok());
  ASSERT_TRUE(staging->CommitJob("", parts).ok());
  EXPECT_THAT(Names(dir_ + "/out"),
              ElementsAre("_SUCCESS", "_manifest.json", "part-00000", "part-00001"));
  EXPECT_EQ(Read("part-00000") + Read("part-00001"), "ab");
  EXPECT_THAT(Read("_manifest.json"), HasSubstr(R"("name": "part-00001", "bytes": 1)"));
  staging.reset();
  EXPECT_THAT(Names(dir_), ElementsAre("out"));
}

TEST_F(OutputStagingTest, AJobThatIsNotCommittedLeavesNothing) {
  auto staging = Create(1);
  WritePart(staging->staging_dir(), 0, 0, "x");
  staging.reset();
  EXPECT_THAT(Names(dir_), ElementsAre());
}

TEST_F(OutputStagingTest, OnlyTheWinnersOfTheAttemptsAreInTheOutput) {
  auto staging = Create(1);
  WritePart(staging->staging_dir(), 0, 0, "loser");
  const CommittedPart winner = WritePart(staging->staging_dir(), 0, 1, "winner");
  WritePart(staging->staging_dir(), 0, 2, "late");
  std::ofstream(staging->staging_dir() + "/litter") << "x";
  ASSERT_TRUE(staging->CommitJob("", {&winner, 1}).ok());
  EXPECT_EQ(Read("part-00000"), "winner");
  EXPECT_THAT(Read("_manifest.json"), HasSubstr(R"("bytes": 6)"));
  EXPECT_THAT(Names(dir_ + "/out"), ElementsAre("_SUCCESS", "_manifest.json", "part-00000"));
}

TEST_F(OutputStagingTest, FurtherDirectoriesHaveManifestsOfTheirOwn) {
  auto staging = Create(1);
  const std::string& place = staging->staging_dir();
  WriteDirectories(place, 7, 0, true, {{"errors", "loser"}});
  const std::vector<CommittedPart> parts = {
      WriteDirectories(place, 0, 2, false, {{"date=1/hour=2", "d"}, {"errors", "r"}}),
      WriteDirectories(place, 7, 1, true, {{"errors", "map"}})};
  ASSERT_TRUE(staging->CommitJob("", parts).ok());
  EXPECT_THAT(Names(dir_ + "/out"),
              ElementsAre("_SUCCESS", "_manifest.json", "date=1", "errors", "part-00000"));
  EXPECT_THAT(Names(dir_ + "/out/date=1"), ElementsAre("hour=2"));
  EXPECT_THAT(Names(dir_ + "/out/errors"),
              ElementsAre("_manifest.json", "map-00007", "part-00000"));
  EXPECT_EQ(Read("errors/map-00007") + Read("errors/part-00000"), "mapr");
  EXPECT_EQ(Read("date=1/hour=2/part-00000"), "d");
  EXPECT_THAT(Read("errors/_manifest.json"), HasSubstr(R"("name": "map-00007", "bytes": 3)"));
  staging.reset();
  EXPECT_THAT(Names(dir_), ElementsAre("out"));
}

TEST_F(OutputStagingTest, ANameThatLeadsElsewhereIsNotPublished) {
  for (const char* name : {"../elsewhere", "/tmp", "a/../../b", "attempts", ""}) {
    auto staging = Create(1);
    CommittedPart part = WriteDirectories(staging->staging_dir(), 0, 0, false, {{"errors", "x"}});
    part.info.directories[0].directory = name;
    EXPECT_EQ(staging->CommitJob("", {&part, 1}).code(), Code::kInvalidArgument) << name;
    EXPECT_FALSE(files_.Stat(dir_ + "/out").ok());
  }
  EXPECT_THAT(Names(dir_), ElementsAre());
}

TEST_F(OutputStagingTest, AMissingOrDoublePartStopsTheCommit) {
  auto staging = Create(2);
  const CommittedPart first = WritePart(staging->staging_dir(), 0, 0, "x");
  EXPECT_EQ(staging->CommitJob("", {&first, 1}).code(), Code::kInternal);
  const std::vector<CommittedPart> twice = {first, first};
  EXPECT_EQ(staging->CommitJob("", twice).code(), Code::kInternal);
  EXPECT_FALSE(files_.Stat(dir_ + "/out").ok());
}

TEST_F(OutputStagingTest, APartOfAnotherSizeThanWasPromisedStopsTheCommit) {
  auto staging = Create(1);
  CommittedPart part = WritePart(staging->staging_dir(), 0, 0, "x");
  std::ofstream(PartAttemptPath(staging->staging_dir(), 0, 0)) << "";  // Truncates.
  EXPECT_EQ(staging->CommitJob("", {&part, 1}).code(), Code::kDataLoss);
  EXPECT_FALSE(files_.Stat(dir_ + "/out").ok());
}

TEST_F(OutputStagingTest, AnExistingDirectoryIsNeverReplacedUnasked) {
  ASSERT_TRUE(files_.MakeDirectory(dir_ + "/out", 0755).ok());
  EXPECT_EQ(OutputStaging::Create(files_, Options("j", 1)).status().code(), Code::kAlreadyExists);
}

TEST_F(OutputStagingTest, ADirectoryThatAppearsMeanwhileIsNotReplaced) {
  auto staging = Create(1);
  const CommittedPart part = WritePart(staging->staging_dir(), 0, 0, "x");
  ASSERT_TRUE(files_.MakeDirectory(dir_ + "/out", 0755).ok());
  EXPECT_EQ(staging->CommitJob("", {&part, 1}).code(), Code::kAlreadyExists);
  EXPECT_THAT(Names(dir_ + "/out"), ElementsAre());
  staging.reset();
  EXPECT_THAT(Names(dir_), ElementsAre("out"));
}

TEST_F(OutputStagingTest, OverwriteExchangesTheWholeDirectory) {
  auto first = Create(2);
  const std::vector<CommittedPart> old = {WritePart(first->staging_dir(), 0, 0, "old"),
                                          WritePart(first->staging_dir(), 1, 0, "old")};
  ASSERT_TRUE(first->CommitJob("", old).ok());
  auto second = Create(1, Overwrite::kWhole);
  const CommittedPart part = WritePart(second->staging_dir(), 0, 0, "new");
  EXPECT_EQ(Read("part-00000"), "old");
  ASSERT_TRUE(second->CommitJob("", {&part, 1}).ok());
  EXPECT_THAT(Names(dir_ + "/out"), ElementsAre("_SUCCESS", "_manifest.json", "part-00000"));
  EXPECT_EQ(Read("part-00000"), "new");
  EXPECT_THAT(Names(dir_), ElementsAre("out"));
}

TEST_F(OutputStagingTest, WhatNoJobHasWrittenIsNotOverwritten) {
  ASSERT_TRUE(files_.MakeDirectory(dir_ + "/out", 0755).ok());
  std::ofstream(dir_ + "/out/mine") << "data";
  StagingOptions options = Options("job", 1);
  options.overwrite = Overwrite::kWhole;
  EXPECT_EQ(OutputStaging::Create(files_, options).status().code(), Code::kAlreadyExists);

  // It may come into being while the job runs, in the place of an output.
  ASSERT_TRUE(files_.RemoveTree(dir_ + "/out").ok());
  for (const std::string owner : {"", "cluster c"}) {
    options.owner = owner;
    auto staging = Create(options);
    const CommittedPart part = WritePart(staging->staging_dir(), 0, 0, "x");
    ASSERT_TRUE(files_.MakeDirectory(dir_ + "/out", 0755).ok());
    std::ofstream(dir_ + "/out/mine") << "data";
    const Status status = staging->CommitJob("", {&part, 1});
    EXPECT_EQ(status.code(), Code::kAlreadyExists) << status.message();
    EXPECT_THAT(status.message(), HasSubstr("no job's output"));
    EXPECT_EQ(Read("mine"), "data");
    staging->Discard();
    EXPECT_THAT(Names(dir_), ElementsAre("out"));
    ASSERT_TRUE(files_.RemoveTree(dir_ + "/out").ok());
  }
}

TEST_F(OutputStagingTest, LeftoversOfADeadProcessGoAndOthersStay) {
  // A child stages for the same output and dies without cleaning up.
  const pid_t child = ::fork();
  if (child == 0) {
    auto staged = OutputStaging::Create(files_, Options("dead", 1));
    StagingOptions owned = Options("clusters", 1);
    owned.owner = "cluster c";
    auto of_a_cluster = OutputStaging::Create(files_, owned);
    ::_exit(staged.ok() && of_a_cluster.ok() ? 0 : 1);
  }
  int state = 0;
  ASSERT_EQ(::waitpid(child, &state, 0), child);
  ASSERT_EQ(WEXITSTATUS(state), 0);
  ASSERT_TRUE(files_.MakeDirectory(dir_ + "/.out.spillway-foreign", 0755).ok());
  auto alive = Create(1);
  auto also_alive = Create(1);
  EXPECT_THAT(Names(dir_), ElementsAre(".out.spillway-clusters", ".out.spillway-foreign",
                                       ".out.spillway-job0", ".out.spillway-job1"));
}

TEST_F(OutputStagingTest, AnOwnedStagingWaitsForItsAdoption) {
  StagingOptions options = Options("job", 1);
  options.owner = "cluster c, job 7";
  const std::string place = Create(options)->staging_dir();  // Destroyed at once.
  const CommittedPart part = WritePart(place, 0, 0, "x");

  StagingOptions stranger = options;
  stranger.owner = "cluster d, job 7";
  EXPECT_EQ(OutputStaging::Adopt(files_, stranger, place).status().code(), Code::kDataLoss);
  EXPECT_EQ(OutputStaging::Adopt(files_, options, dir_ + "/elsewhere").status().code(),
            Code::kDataLoss);

  auto taken = OutputStaging::Adopt(files_, options, place);
  ASSERT_TRUE(taken.ok()) << taken.status().message();
  ASSERT_TRUE((*taken)->CommitJob("", {&part, 1}).ok());
  EXPECT_EQ(Read("part-00000"), "x");
  EXPECT_THAT(Names(dir_), ElementsAre("out"));
}

TEST_F(OutputStagingTest, AnOwnedStagingThatWasCutShortIsMadeAnew) {
  StagingOptions options = Options("job", 1);
  options.owner = "cluster c";
  const std::string place = dir_ + "/.out.spillway-job";
  for (const std::string written : {"", "cluster", "cluster c job"}) {
    ASSERT_TRUE(files_.MakeDirectory(place, 0755).ok());
    std::ofstream(place + "/_SPILLWAY_OWNER") << written;
    const auto staging = Create(options);
    ASSERT_NE(staging, nullptr) << written;
    staging->Discard();
  }
  ASSERT_TRUE(files_.MakeDirectory(place, 0755).ok());
  std::ofstream(place + "/_SPILLWAY_OWNER") << "cluster d";
  EXPECT_EQ(OutputStaging::Create(files_, options).status().code(), Code::kAlreadyExists);
}

TEST_F(OutputStagingTest, AnOwnedStagingIsDiscardedWhenToldSo) {
  StagingOptions options = Options("job", 1);
  options.owner = "cluster c";
  auto staging = Create(options);
  WritePart(staging->staging_dir(), 0, 0, "x");
  staging->Discard();
  EXPECT_THAT(Names(dir_), ElementsAre());
  EXPECT_EQ(OutputStaging::Adopt(files_, options, staging->staging_dir()).status().code(),
            Code::kDataLoss);
}

TEST_F(OutputStagingTest, JobIdsAreNoPaths) {
  for (const char* id : {"", "../x", "a/b", "a b", "a\"b"})
    EXPECT_EQ(OutputStaging::Create(files_, Options(id, 1)).status().code(),
              Code::kInvalidArgument);
}

enum class Place { kFree, kTaken };

class CrashedCommitTest : public OutputStagingTest, public testing::WithParamInterface<Place> {};

// Kills the coordinator before each of the changes that Create makes, and then of CommitJob; the
// next one repeats the call.
TEST_P(CrashedCommitTest, CanBeRepeatedFromAnyPoint) {
  bool finished = false;
  int crashes = 0;
  for (int changes = 0; !finished; ++changes) {
    ASSERT_LT(changes, 100);
    const Status cleared = files_.RemoveTree(dir_ + "/out");
    ASSERT_TRUE(cleared.ok() || cleared.code() == Code::kNotFound) << cleared.message();
    if (GetParam() == Place::kTaken) {
      ASSERT_TRUE(files_.MakeDirectory(dir_ + "/out", 0755).ok());
      std::ofstream(dir_ + "/out/_SUCCESS") << "old";
    }
    StagingOptions options = Options("job", 2);
    if (GetParam() == Place::kTaken) options.overwrite = Overwrite::kWhole;
    options.owner = "cluster c, job 7";
    {
      FailingFileSystem first(changes / 4);
      const auto ignored = OutputStaging::Create(first, options);
    }
    const std::string place = Create(options)->staging_dir();
    const std::vector<CommittedPart> parts = {
        WritePart(place, 0, 1, "zero"),
        WriteDirectories(place, 1, 0, false, {{"errors", "one"}, {"date=1/hour=2", "d"}}),
        WriteDirectories(place, 4, 0, true, {{"errors", "map"}})};
    WritePart(place, 1, 5, "loser");
    {
      FailingFileSystem second(changes);
      auto adopted = OutputStaging::Adopt(second, options, place);
      if (adopted.ok()) {
        finished = (*adopted)->CommitJob("", parts).ok() && !second.failed();
      }
      crashes += second.failed() ? 1 : 0;
    }
    for (int repeat = 0; repeat < 2; ++repeat) {
      auto adopted = OutputStaging::Adopt(files_, options, place);
      ASSERT_TRUE(adopted.ok()) << changes << ": " << adopted.status().message();
      const Status status = (*adopted)->CommitJob("", parts);
      ASSERT_TRUE(status.ok()) << changes << ": " << status.message();
      EXPECT_THAT(Names(dir_), ElementsAre("out"));
      EXPECT_THAT(Names(dir_ + "/out"), ElementsAre("_SUCCESS", "_manifest.json", "date=1",
                                                    "errors", "part-00000", "part-00001"));
      EXPECT_THAT(Names(dir_ + "/out/errors"),
                  ElementsAre("_manifest.json", "map-00004", "part-00001"));
      EXPECT_EQ(Read("part-00000") + Read("errors/map-00004") + Read("errors/part-00001") +
                    Read("date=1/hour=2/part-00001"),
                "zeromaponed");
    }
  }
  EXPECT_GT(crashes, 8);
}

INSTANTIATE_TEST_SUITE_P(Outputs, CrashedCommitTest, testing::Values(Place::kFree, Place::kTaken));

}  // namespace
}  // namespace spillway
