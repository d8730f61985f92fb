#include "runtime/local/loop_chain.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mapreduce/loop_file.h"
#include "mapreduce/mapreduce.h"
#include "runtime/task/plugin_library.h"

namespace spillway {
namespace {

struct Counting {
  using Input = TextLines;
  struct Batch {
    std::uint64_t bytes() const { return sizeof *this; }
  };
  struct Start {};
  struct State {};
  struct Partial {};
  void Parse(const Line&, Batch&) const {}
  void Gather(const Batch&, Start&) const {}
  void Join(Start&, const Start&) const {}
  void First(const Start&, State&) const {}
  void Map(const Batch&, const State&, Partial&) const {}
  void Fold(Partial&, const Partial&) const {}
  bool Next(State&, const Partial&, const LoopRound&) const { return false; }
  void Print(const State&, OutputBuffer&) const {}
};

}  // namespace
}  // namespace spillway

SPILLWAY_PLUGIN("counting", "counts its rounds", "") {
  return spillway::NewLoop(spillway::Counting()).Rounds(7);
}

namespace spillway {
namespace {

/// A round as the script wants it: each takes the state that it is given and writes "state + x".
struct Script {
  std::uint32_t ends_after = 3;
  bool converges = true;
  std::uint32_t fails_in = UINT32_MAX;
  std::function<void(std::uint32_t round)> meanwhile = [](std::uint32_t) {};
  // What came of it.
  std::vector<std::string> states;
  std::vector<bool> cancelled;
};

class FakeRound : public JobRunner {
 public:
  FakeRound(Script& script, JobRequest request) : script_(script), request_(std::move(request)) {}

  const JobPlan& plan() const override { return plan_; }
  JobProgress progress() const override { return {}; }
  void Cancel() override { cancelled_ = true; }

  JobReport Run() override {
    JobReport report;
    const std::string bytes = Read(request_.side_files.at(SPILLWAY_LOOP_FILE));
    const LoopFile file = *LoopFile::Parse(bytes);
    script_.meanwhile(file.round);
    script_.states.emplace_back(file.state);
    script_.cancelled.push_back(cancelled_);
    if (cancelled_) report.status = Cancelled("interrupted");
    if (file.round == script_.fails_in) report.status = BadData("no such points");
    if (!report.status.ok()) return report;
    const bool ended = file.round == script_.ends_after;
    const std::string state = std::string(file.state) + "x";
    EXPECT_TRUE(files_.MakeDirectory(request_.output_dir, 0755).ok());
    Write(request_.output_dir + "/part-00000",
          ended ? state : LoopFile{file.round + 1, file.rounds_max, state}.Encode());
    report.input_records = 10;
    report.output_bytes = state.size();
    report.counters["loop"] = {{"rounds", file.round}};
    report.counters["user"] = {{"seen", 1}};
    if (ended) report.counters["loop"]["ended"] = 1;
    if (ended && script_.converges) report.counters["loop"]["converged"] = 1;
    return report;
  }

  static std::string Read(const std::string& path) {
    PosixFileSystem files;
    const auto file = files.Open(path);
    if (!file.ok()) return "nothing at " + path;
    std::string bytes(*(*file)->Size(), '\0');
    EXPECT_EQ(*(*file)->ReadAt(0, bytes.size(), bytes.data()), bytes.size());
    return bytes;
  }
  static void Write(const std::string& path, const std::string& bytes) {
    PosixFileSystem files;
    const auto file = files.Create(path);
    ASSERT_TRUE(file.ok()) << file.status().message();
    ASSERT_TRUE((*file)->Append(bytes).ok());
    ASSERT_TRUE((*file)->Close().ok());
  }

 private:
  Script& script_;
  const JobRequest request_;
  const JobPlan plan_;
  PosixFileSystem files_;
  bool cancelled_ = false;
};

class LoopChainTest : public ::testing::Test {
 protected:
  LoopChainTest() {
    std::string name = ::testing::TempDir() + "loop-chain-XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
    output_ = directory_ + "/out";
  }
  ~LoopChainTest() override { EXPECT_TRUE(files_.RemoveTree(directory_).ok()); }

  std::unique_ptr<LoopChain> Chain(const LoopRequest& loop = {},
                                   Overwrite overwrite = Overwrite::kNothing) {
    PreparedJob job;
    job.request.output_dir = output_ + "/";
    job.request.overwrite = overwrite;
    job.request.loop = loop;
    auto library = PluginLibrary::Linked(&spillway_plugin_v1);
    job.plugin = std::move(PluginJob::Configure(*library, {})).value();
    return std::make_unique<LoopChain>(std::move(job), [this](const JobRequest& request) {
      EXPECT_FALSE(request.loop.asked());
      EXPECT_EQ(request.overwrite, Overwrite::kNothing) << "rounds have places of their own";
      return Result<std::unique_ptr<JobRunner>>(std::make_unique<FakeRound>(script_, request));
    });
  }
  std::vector<std::string> Left() { return *files_.List(directory_); }

  Script script_;
  PosixFileSystem files_;
  std::string directory_, output_;
};

TEST_F(LoopChainTest, HandsTheStateFromRoundToRoundAndPublishesTheLast) {
  const JobReport report = Chain()->Run();
  ASSERT_TRUE(report.status.ok()) << report.status.message();
  EXPECT_EQ(script_.states, (std::vector<std::string>{"", "x", "xx", "xxx"}));
  EXPECT_EQ(FakeRound::Read(output_ + "/part-00000"), "xxxx");
  EXPECT_EQ(Left(), std::vector<std::string>{"out"}) << "the rounds' places are gone";
  EXPECT_EQ(report.loop.mode, "disk");
  EXPECT_EQ(report.loop.rounds, 3u);
  EXPECT_TRUE(report.loop.converged);
  EXPECT_EQ(report.loop.iteration_seconds.size(), 3u);
  EXPECT_EQ(report.input_records, 40u) << "of all rounds together";
  EXPECT_EQ(report.output_bytes, 4u) << "of the last one";
  EXPECT_EQ(report.counters.at("user").at("seen"), 4u);
  EXPECT_FALSE(report.counters.contains("loop")) << "those are the chain's own";
}

TEST_F(LoopChainTest, SaysWhenItDidNotConverge) {
  script_.converges = false;
  const JobReport report = Chain()->Run();
  EXPECT_TRUE(report.status.ok());
  EXPECT_FALSE(report.loop.converged);
}

TEST_F(LoopChainTest, TellsTheFirstRoundHowManyThereMayBe) {
  std::vector<std::uint32_t> told;
  LoopRequest none;
  none.rounds_max = 0;
  for (const LoopRequest& loop : {LoopRequest(), none}) {
    script_ = {};
    script_.ends_after = 0;
    const auto chain = Chain(loop);
    script_.meanwhile = [&](std::uint32_t) {
      for (const std::string& name : Left())
        if (name.find("spillway-work") != std::string::npos)
          told.push_back(
              LoopFile::Parse(FakeRound::Read(directory_ + "/" + name + "/first"))->rounds_max);
    };
    EXPECT_TRUE(chain->Run().status.ok());
    EXPECT_TRUE(files_.RemoveTree(output_).ok());
  }
  EXPECT_EQ(told, (std::vector<std::uint32_t>{7, 0})) << "the job's own number, then the command's";
}

TEST_F(LoopChainTest, NamesTheRoundThatFailedAndLeavesNothing) {
  script_.fails_in = 2;
  const JobReport report = Chain()->Run();
  EXPECT_EQ(report.status.code(), Code::kBadData);
  EXPECT_NE(report.status.message().find("round 2"), std::string::npos);
  EXPECT_TRUE(Left().empty());
}

TEST_F(LoopChainTest, CancelEndsTheRoundThatRunsAndThoseToCome) {
  const auto chain = Chain();
  script_.meanwhile = [&](std::uint32_t round) {
    if (round == 1) chain->Cancel();
  };
  EXPECT_EQ(chain->Run().status.code(), Code::kCancelled);
  EXPECT_EQ(script_.cancelled, (std::vector<bool>{false, true}));
  EXPECT_TRUE(Left().empty());

  script_ = {};
  const auto early = Chain();
  early->Cancel();
  EXPECT_EQ(early->Run().status.code(), Code::kCancelled);
  EXPECT_EQ(script_.cancelled, std::vector<bool>{true});
}

TEST_F(LoopChainTest, ReplacesAnOutputOnlyWhenAsked) {
  script_.meanwhile = [&](std::uint32_t round) {
    if (round != 3) return;
    ASSERT_TRUE(files_.MakeDirectory(output_, 0755).ok());
    FakeRound::Write(output_ + "/somebody's", "data");
  };
  const JobReport report = Chain()->Run();
  EXPECT_EQ(report.status.code(), Code::kAlreadyExists);
  EXPECT_EQ(FakeRound::Read(output_ + "/somebody's"), "data");

  script_ = {};
  EXPECT_EQ(Chain({}, Overwrite::kWhole)->Run().status.code(), Code::kAlreadyExists)
      << "no job has written it";
  EXPECT_EQ(FakeRound::Read(output_ + "/somebody's"), "data");

  script_ = {};
  FakeRound::Write(output_ + "/_SUCCESS", "");
  EXPECT_TRUE(Chain({}, Overwrite::kWhole)->Run().status.ok());
  EXPECT_EQ(FakeRound::Read(output_ + "/part-00000"), "xxxx");
  EXPECT_EQ(*files_.List(output_), std::vector<std::string>{"part-00000"});
  EXPECT_EQ(Left(), std::vector<std::string>{"out"});
}

}  // namespace
}  // namespace spillway
