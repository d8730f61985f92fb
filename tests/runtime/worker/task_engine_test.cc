#include "runtime/worker/task_engine.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <random>
#include <thread>

#include "mapreduce/base/units.h"
#include "runtime/transfer/local_segment_source.h"
#include "shuffle/store/disk_segment_store.h"
#include "tests/places.h"
#include "tests/runtime/worker/engine_fixture.h"

namespace spillway {
namespace {

using testing::HasSubstr;

/// The store's segments, once the test lets them through.
class GatedSource final : public SegmentSource {
 public:
  explicit GatedSource(SegmentStore& store) : source_(store) {}

  void Fetch(FetchTicket ticket, const SegmentOrder& order, Done done) override {
    {
      const std::lock_guard lock(mutex_);
      ++fetches_;
      if (held_) {
        waiting_[ticket].push_back({order, std::move(done)});
        return;
      }
    }
    source_.Fetch(ticket, order, std::move(done));
  }
  FetchTotals CancelAll(FetchTicket ticket) override {
    std::vector<Waiting> ended;
    {
      const std::lock_guard lock(mutex_);
      ended = std::move(waiting_[ticket]);
      waiting_.erase(ticket);
      ++cancelled_;
    }
    for (Waiting& each : ended) each.done(Cancelled("the ticket was ended"));
    return source_.CancelAll(ticket);
  }

  void Hold() {
    const std::lock_guard lock(mutex_);
    held_ = true;
  }
  void Release() {
    std::map<FetchTicket, std::vector<Waiting>> all;
    {
      const std::lock_guard lock(mutex_);
      held_ = false;
      all = std::move(waiting_);
      waiting_.clear();
    }
    for (auto& [ticket, some] : all)
      for (Waiting& each : some) source_.Fetch(ticket, each.order, std::move(each.done));
  }
  int fetches() {
    const std::lock_guard lock(mutex_);
    return fetches_;
  }
  int cancelled() {
    const std::lock_guard lock(mutex_);
    return cancelled_;
  }

 private:
  struct Waiting {
    SegmentOrder order;
    Done done;
  };
  LocalSegmentSource source_;
  std::mutex mutex_;
  bool held_ = false;
  int fetches_ = 0, cancelled_ = 0;
  std::map<FetchTicket, std::vector<Waiting>> waiting_;
};

/// An engine with real stores and a real plugin.
class Engine {
 public:
  Engine(TestJob& job, std::uint32_t threads, std::uint64_t task_timeout_ms = 0)
      : Engine(job, threads, task_timeout_ms, job.files) {}
  Engine(TestJob& job, std::uint32_t threads, std::uint64_t task_timeout_ms, FileSystem& files)
      : store_(job.files, {.directories = {job.scratch()}}), source(store_) {
    const wire::JobSpec& spec = job.start.spec();
    job.start.mutable_spec()->mutable_limits()->set_task_timeout_ms(task_timeout_ms);
    plugin_ = PluginJob::Configure(PluginLibrary::Load(spec.plugin().path()).value(),
                                   {spec.args().begin(), spec.args().end()})
                  .value();
    job.start.mutable_spec()->set_map_only(plugin_->abi().map_only != 0);
    board_ = SlotBoard::Create(threads).value();
    const MemoryPlan memory =
        PlanMemory({.total_bytes = 64 * kMiB, .threads = threads, .split_bytes = 1 * kMiB}).value();
    engine = TaskEngine::Create(job.start,
                                {.plugin = *plugin_,
                                 .files = files,
                                 .segments = store_,
                                 .source = source,
                                 .board = *board_,
                                 .post = [this](wire::Message m) { inbox.Put(std::move(m)); },
                                 .stuck = [this](const AttemptId& id) { stuck.push_back(id); }},
                                {.memory = memory, .stop_timeout_ms = 50})
                 .value();
  }
  ~Engine() { EXPECT_TRUE(engine->Stop(30'000)); }

  SegmentStore& store() { return store_; }

 private:
  std::unique_ptr<PluginJob> plugin_;
  std::unique_ptr<SlotBoard> board_;
  DiskSegmentStore store_;

 public:
  Inbox inbox;
  GatedSource source;
  std::vector<AttemptId> stuck;
  std::unique_ptr<TaskEngine> engine;
};

std::string SortedLines(const std::vector<std::string>& parts) {
  std::vector<std::string> lines;
  for (const std::string& part : parts) {
    std::istringstream stream(part);
    for (std::string line; std::getline(stream, line);) lines.push_back(line + "\n");
  }
  std::sort(lines.begin(), lines.end());
  std::string all;
  for (const std::string& line : lines) all += line;
  return all;
}

/// A share of the memory, alone or beside other processes: from what holds a task's least on.
MemoryPlan AnyPlan(std::mt19937& random, std::uint32_t threads, std::uint32_t processes) {
  return PlanMemory({.total_bytes = (4 * threads + random() % 60) * kMiB,
                     .threads = threads,
                     .split_bytes = 1 * kMiB,
                     .processes = processes})
      .value();
}

/// Plays the coordinator: all messages in an order by the seed, many of them twice; and a daemon
/// that gives the process more memory and less.
std::vector<std::string> RunJob(TestJob& job, std::uint32_t threads, std::uint32_t seed) {
  Engine e(job, threads);
  std::mt19937 random(seed);
  const auto maybe = [&] { return random() % 2 == 0; };
  const std::uint32_t parts = job.start.spec().parts();
  std::vector<wire::Message> starts;
  for (std::uint32_t map = 0; map < job.start.maps(); ++map)
    starts.push_back(job.StartMap(job.Map(map)));
  for (std::uint32_t part = 0; part < parts; ++part)
    starts.push_back(job.StartReduce(job.Reduce(part)));
  std::shuffle(starts.begin(), starts.end(), random);
  // A reduce must be there before its segments are announced.
  std::stable_partition(starts.begin(), starts.end(),
                        [](const wire::Message& m) { return m.has_start_reduce(); });
  for (const wire::Message& start : starts) {
    e.engine->Handle(start);
    if (maybe()) e.engine->Handle(start);
    const std::uint32_t processes = 1 + random() % 2;
    e.engine->Replan(AnyPlan(random, threads, processes), processes);
  }
  std::set<std::uint32_t> maps_done, granted;
  std::uint64_t input_records = 0;
  while (granted.size() < parts) {
    const auto message = e.inbox.Next();
    if (!message.has_value()) return {};
    if (message->has_map_done()) {
      const wire::MapDone& done = message->map_done();
      EXPECT_EQ(done.partition_hashes_size(), static_cast<int>(parts));
      if (maps_done.insert(done.attempt().task()).second)
        input_records += done.stats().input_records();
      if (maybe()) e.engine->Handle(job.StartMap(FromWire(done.attempt())));  // It ended already.
      for (std::uint32_t part = 0; part < parts; ++part) {
        const auto news = job.Available(job.Reduce(part), {FromWire(done.attempt())});
        e.engine->Handle(news);
        if (maybe()) e.engine->Handle(news);
      }
    } else if (message->has_commit_request()) {
      const AttemptId id = FromWire(message->commit_request().attempt());
      if (granted.contains(id.task)) continue;
      EXPECT_TRUE(job.HasPart(id.task));
      if (maybe()) {  // It asks again, and is granted both times.
        e.engine->Handle(job.StartReduce(id));
        const auto again = e.inbox.Await([&](const wire::Message& other) {
          return other.has_commit_request() && FromWire(other.commit_request().attempt()) == id;
        });
        EXPECT_TRUE(again.has_value());
        e.engine->Handle(TestJob::Grant(id));
      }
      e.engine->Handle(TestJob::Grant(id));
      granted.insert(id.task);
    } else {
      ADD_FAILURE() << message->ShortDebugString();
      return {};
    }
    e.engine->Tick();
  }
  std::vector<std::string> outputs;
  for (std::uint32_t part = 0; part < parts; ++part) outputs.push_back(job.ReadPart(part));
  const auto lines = static_cast<std::uint64_t>(2'000);
  EXPECT_EQ(input_records, lines);
  EXPECT_TRUE(e.engine->attempts().empty());
  return outputs;
}

TEST(TaskEngineTest, AJobComesOutTheSameWhateverTheOrderOfItsMessages) {
  const CountedLines lines(1);
  std::vector<std::string> first;
  for (std::uint32_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    TestJob job(TestPlugin("faulty"), {"well"}, lines.text, 5, 3);
    const std::vector<std::string> parts = RunJob(job, 1 + seed % 3, seed);
    EXPECT_EQ(SortedLines(parts), lines.expected);
    if (first.empty()) first = parts;
    EXPECT_EQ(parts, first);
  }
}

TEST(TaskEngineTest, AMapOnlyJobAsksForTheCommitOfItsMaps) {
  TestJob job(BuiltInPlugin("grep"), {"needle"}, "hay\na needle\nhay\nneedles\n", 1, 1);
  Engine e(job, 1);
  e.engine->Handle(job.StartMap(job.Map(0)));
  const auto request = e.inbox.AwaitKind(wire::Message::kCommitRequest);
  ASSERT_TRUE(request.has_value());
  const wire::PartInfo& part = request->commit_request().part();
  EXPECT_EQ(job.ReadPart(0), "a needle\nneedles\n");
  EXPECT_EQ(part.bytes(), 17u);
  EXPECT_EQ(part.records(), 2u);
  EXPECT_EQ(request->commit_request().stats().output_records(), 2u);
  EXPECT_EQ(request->commit_request().stats().counters_size(), 1);
  e.engine->Handle(TestJob::Refuse(job.Map(0)));
  EXPECT_TRUE(e.inbox.AwaitKind(wire::Message::kAttemptStopped).has_value());
  EXPECT_FALSE(job.HasPart(0));
}

TEST(TaskEngineTest, AFailureNamesFileOffsetAndRecord) {
  TestJob job(TestPlugin("faulty"), {"throw"}, "one\ntwo\nBOOM\nfour\n", 1, 1);
  Engine e(job, 1);
  e.engine->Handle(job.StartMap(job.Map(0, 2)));
  const auto message = e.inbox.AwaitKind(wire::Message::kAttemptFailed);
  ASSERT_TRUE(message.has_value());
  const wire::AttemptFailed& failed = message->attempt_failed();
  EXPECT_EQ(FromWire(failed.attempt()), job.Map(0, 2));
  EXPECT_EQ(FromWire(failed.status()).code(), Code::kUserCode);
  EXPECT_THAT(failed.status().message(), HasSubstr(job.input_path() + ":8, record 'BOOM'"));
  EXPECT_EQ(failed.record().path(), job.input_path());
  EXPECT_EQ(FromWire(failed.record().place()), (RecordPlace{3, 8}));
  // The same message again does not run it again.
  e.engine->Handle(job.StartMap(job.Map(0, 2)));
  const auto again = e.inbox.AwaitKind(wire::Message::kAttemptFailed);
  EXPECT_EQ(again->SerializeAsString(), message->SerializeAsString());
}

// The inverted index asks for the paths in its reducer.
TEST(TaskEngineTest, ReducersKnowTheInputsThatTheJobLists) {
  TestJob job(BuiltInPlugin("inverted_index"), {}, "word\n", 1, 1);
  for (const char* path : {"/zero", "/one", "/two", "/three"})
    job.start.mutable_inputs()->add_names(path);
  Engine e(job, 1);
  e.engine->Handle(job.StartReduce(job.Reduce(0)));
  e.engine->Handle(job.StartMap(job.Map(0)));
  ASSERT_TRUE(e.inbox.AwaitKind(wire::Message::kMapDone).has_value());
  e.engine->Handle(job.Available(job.Reduce(0), {job.Map(0)}));
  ASSERT_TRUE(e.inbox.AwaitKind(wire::Message::kCommitRequest).has_value());
  EXPECT_EQ(job.ReadPart(0), "word\t/three:0\n");
}

TEST(TaskEngineTest, SkippedRecordsArePassedOver) {
  TestJob job(TestPlugin("faulty"), {"throw"}, "one\nBOOM\nfour\n", 1, 1);
  Engine e(job, 1);
  wire::Message start = job.StartMap(job.Map(0));
  wire::RecordPlace& skip = *start.mutable_start_map()->add_skips();
  skip.set_file_index(3);
  skip.set_offset(4);
  e.engine->Handle(start);
  const auto done = e.inbox.AwaitKind(wire::Message::kMapDone);
  ASSERT_TRUE(done.has_value());
  EXPECT_EQ(done->map_done().records(), 2u);
}

TEST(TaskEngineTest, AReduceThatWaitsIsStoppedAtOnce) {
  TestJob job(TestPlugin("faulty"), {"well"}, "one\n", 1, 1);
  Engine e(job, 1);
  e.engine->Handle(job.StartReduce(job.Reduce(0)));
  e.engine->Handle(TestJob::Stop(job.Reduce(0)));
  const auto stopped = e.inbox.AwaitKind(wire::Message::kAttemptStopped);
  EXPECT_EQ(FromWire(stopped->attempt_stopped().attempt()), job.Reduce(0));
  EXPECT_TRUE(e.engine->attempts().empty());
  e.engine->Tick();
  EXPECT_EQ(e.source.cancelled(), 1);
}

TEST(TaskEngineTest, WhatIsNotKnownIsStopped) {
  TestJob job(TestPlugin("faulty"), {"well"}, "one\n", 1, 1);
  Engine e(job, 1);
  e.engine->Handle(TestJob::Stop(job.Map(0, 5)));
  EXPECT_TRUE(e.inbox.AwaitKind(wire::Message::kAttemptStopped).has_value());
  e.engine->Handle(TestJob::Refuse(job.Map(0, 6)));
  EXPECT_TRUE(e.inbox.AwaitKind(wire::Message::kAttemptStopped).has_value());
  e.engine->Handle(TestJob::Grant(job.Map(0, 6)));
  AttemptId stranger = job.Map(0);
  stranger.job = 8;
  e.engine->Handle(job.StartMap(stranger));
  EXPECT_TRUE(e.engine->attempts().empty());
}

TEST(TaskEngineTest, NonsenseFailsItsAttemptOnly) {
  TestJob job(TestPlugin("faulty"), {"well"}, "one\n", 1, 1);
  Engine e(job, 1);
  e.engine->Handle(job.StartReduce(job.Reduce(9)));
  EXPECT_TRUE(e.inbox.AwaitKind(wire::Message::kAttemptFailed).has_value());
  wire::Message start = job.StartMap(job.Map(0));
  start.mutable_start_map()->mutable_ranges(0)->set_bytes(UINT64_MAX);
  e.engine->Handle(start);
  EXPECT_TRUE(e.inbox.AwaitKind(wire::Message::kAttemptFailed).has_value());
  e.engine->Handle(job.StartMap(job.Map(0, 1)));
  EXPECT_TRUE(e.inbox.AwaitKind(wire::Message::kMapDone).has_value());
}

TEST(TaskEngineTest, AnInvalidatedSegmentIsWaitedForAgain) {
  TestJob job(TestPlugin("faulty"), {"well"}, "a\nb\nc\nd\n", 2, 1);
  Engine e(job, 2);
  e.engine->Handle(job.StartReduce(job.Reduce(0)));
  for (const AttemptId& id : {job.Map(0, 0), job.Map(0, 1), job.Map(1, 0)}) {
    e.engine->Handle(job.StartMap(id));
    ASSERT_TRUE(e.inbox.AwaitKind(wire::Message::kMapDone).has_value());
  }
  e.engine->Handle(job.Available(job.Reduce(0), {job.Map(0, 0)}));
  e.engine->Handle(job.Invalidated(job.Reduce(0), job.Map(0, 0)));
  e.engine->Handle(job.Available(job.Reduce(0), {job.Map(1, 0)}));
  e.engine->Handle(job.Invalidated(job.Reduce(0), job.Map(1, 7)));  // Was never announced.
  EXPECT_EQ(e.engine->attempts(), std::vector<AttemptId>{job.Reduce(0)});
  EXPECT_EQ(e.inbox.Count(wire::Message::kCommitRequest), 0u);
  e.engine->Handle(job.Available(job.Reduce(0), {job.Map(0, 1)}));
  ASSERT_TRUE(e.inbox.AwaitKind(wire::Message::kCommitRequest).has_value());
  EXPECT_EQ(job.ReadPart(0), "a\t1\nb\t1\nc\t1\nd\t1\n");
  EXPECT_EQ(e.source.fetches(), 3);
}

TEST(TaskEngineTest, AnInvalidatedFetchThatArrivesLateIsIgnored) {
  TestJob job(TestPlugin("faulty"), {"well"}, "a\n", 1, 1);
  Engine e(job, 1);
  e.engine->Handle(job.StartMap(job.Map(0)));
  ASSERT_TRUE(e.inbox.AwaitKind(wire::Message::kMapDone).has_value());
  e.source.Hold();
  e.engine->Handle(job.StartReduce(job.Reduce(0)));
  e.engine->Handle(job.Available(job.Reduce(0), {job.Map(0)}));
  e.engine->Handle(job.Invalidated(job.Reduce(0), job.Map(0)));
  e.source.Release();
  EXPECT_EQ(e.engine->attempts(), std::vector<AttemptId>{job.Reduce(0)});
  e.engine->Handle(job.Available(job.Reduce(0), {job.Map(0)}));
  EXPECT_TRUE(e.inbox.AwaitKind(wire::Message::kCommitRequest).has_value());
}

TEST(TaskEngineTest, ALostSegmentIsToldAndTheReduceGoesOn) {
  TestJob job(TestPlugin("faulty"), {"well"}, "a\n", 1, 1);
  Engine e(job, 1);
  e.engine->Handle(job.StartReduce(job.Reduce(0)));
  e.engine->Handle(job.Available(job.Reduce(0), {job.Map(0, 0)}));
  const auto lost = e.inbox.AwaitKind(wire::Message::kSegmentLost);
  ASSERT_TRUE(lost.has_value());
  EXPECT_FALSE(lost->segment_lost().ended());
  EXPECT_EQ(FromWire(lost->segment_lost().reduce()), job.Reduce(0));
  e.engine->Handle(job.StartMap(job.Map(0, 1)));
  ASSERT_TRUE(e.inbox.AwaitKind(wire::Message::kMapDone).has_value());
  e.engine->Handle(job.Available(job.Reduce(0), {job.Map(0, 1)}));
  ASSERT_TRUE(e.inbox.AwaitKind(wire::Message::kCommitRequest).has_value());
  EXPECT_EQ(job.ReadPart(0), "a\t1\n");
}

TEST(TaskEngineTest, ADiscardedSegmentIsGone) {
  TestJob job(TestPlugin("faulty"), {"well"}, "a\n", 1, 1);
  Engine e(job, 1);
  e.engine->Handle(job.StartMap(job.Map(0)));
  ASSERT_TRUE(e.inbox.AwaitKind(wire::Message::kMapDone).has_value());
  EXPECT_TRUE(e.store().Open({job.start.segment_job(), 0, 0}).ok());
  wire::Message discard;
  discard.mutable_discard_segment()->set_job(kTestJob);
  *discard.mutable_discard_segment()->mutable_segment() = ToWire(SegmentRef{0, 0, 1});
  e.engine->Handle(discard);
  EXPECT_FALSE(e.store().Open({job.start.segment_job(), 0, 0}).ok());
}

/// A map that waits in user code until the test opens its gate.
struct Gate {
  explicit Gate(const std::string& dir) : path(dir + "/gate") {}
  void AwaitVisitor(FileSystem& files) const {
    while (!files.Stat(path + ".waiting").ok()) std::this_thread::yield();
  }
  void Open() const { std::ofstream(path) << "open"; }
  const std::string path;
};

TEST(TaskEngineTest, ARunningAttemptStopsAtItsNextStep) {
  TestJob job(TestPlugin("faulty"), {"-"}, "one\nGATE\ntwo\n", 1, 1);
  const Gate gate(job.dir());
  job.start.mutable_spec()->set_args(0, "map-gate:" + gate.path);
  Engine e(job, 1);
  e.engine->Handle(job.StartMap(job.Map(0)));
  e.engine->Handle(job.StartMap(job.Map(0, 1)));  // Waits for the thread.
  gate.AwaitVisitor(job.files);
  wire::Progress progress = e.engine->Progress();
  EXPECT_EQ(progress.moved_size(), 1);  // The one that waits cannot be blamed.
  EXPECT_EQ(FromWire(progress.moved(0).attempt()), job.Map(0, 1));
  e.engine->Handle(TestJob::Stop(job.Map(0, 1)));
  auto stopped = e.inbox.AwaitKind(wire::Message::kAttemptStopped);
  EXPECT_EQ(FromWire(stopped->attempt_stopped().attempt()), job.Map(0, 1));
  e.engine->Handle(TestJob::Stop(job.Map(0)));
  gate.Open();
  stopped = e.inbox.AwaitKind(wire::Message::kAttemptStopped);
  EXPECT_EQ(FromWire(stopped->attempt_stopped().attempt()), job.Map(0));
  EXPECT_TRUE(e.engine->attempts().empty());
}

TEST(TaskEngineTest, AHangIsFoundAndNamed) {
  TestJob job(TestPlugin("faulty"), {"-"}, "one\nGATE\ntwo\n", 1, 1);
  const Gate gate(job.dir());
  job.start.mutable_spec()->set_args(0, "map-gate:" + gate.path);
  Engine e(job, 1, /*task_timeout_ms=*/30);
  e.engine->Handle(job.StartMap(job.Map(0)));
  gate.AwaitVisitor(job.files);
  while (e.stuck.empty()) e.engine->Tick();
  EXPECT_EQ(e.stuck, std::vector<AttemptId>{job.Map(0)});
  const auto failed = e.inbox.AwaitKind(wire::Message::kAttemptFailed);
  EXPECT_EQ(FromWire(failed->attempt_failed().status()).code(), Code::kAborted);
  EXPECT_THAT(
      failed->attempt_failed().status().message(),
      HasSubstr("Faulty made no progress for 30 ms at " + job.input_path() + ":4, record 'GATE'"));
  gate.Open();  // It comes back after all, and nobody listens.
  EXPECT_TRUE(e.engine->Stop(30'000));
  EXPECT_EQ(e.inbox.Count(wire::Message::kMapDone), 0u);
}

TEST(TaskEngineTest, UserCodeThatIsDeafToAStopIsGivenUp) {
  TestJob job(TestPlugin("faulty"), {"-"}, "one\nGATE\ntwo\n", 1, 1);
  const Gate gate(job.dir());
  job.start.mutable_spec()->set_args(0, "map-gate:" + gate.path);
  Engine e(job, 1);
  e.engine->Handle(job.StartMap(job.Map(0)));
  gate.AwaitVisitor(job.files);
  e.engine->Handle(TestJob::Stop(job.Map(0)));
  while (e.stuck.empty()) e.engine->Tick();
  EXPECT_TRUE(e.inbox.AwaitKind(wire::Message::kAttemptStopped).has_value());
  gate.Open();
}

/// Holds whoever syncs a directory: the last that an attempt does before it asks to commit.
class HeldFileSystem final : public FileSystem {
 public:
  explicit HeldFileSystem(FileSystem& files) : files_(files) {}

  void AwaitVisitor() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return visited_; });
  }
  void LetThrough() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  Status SyncDirectory(const std::string& path) override {
    {
      std::unique_lock lock(mutex_);
      visited_ = true;
      changed_.notify_all();
      changed_.wait(lock, [this] { return open_; });
    }
    return files_.SyncDirectory(path);
  }
  Result<std::unique_ptr<WritableFile>> Create(const std::string& path) override {
    return files_.Create(path);
  }
  Result<std::unique_ptr<WritableFile>> Reopen(const std::string& path) override {
    return files_.Reopen(path);
  }
  Result<std::unique_ptr<ReadableFile>> Open(const std::string& path) override {
    return files_.Open(path);
  }
  Result<FileInfo> Stat(const std::string& path) override { return files_.Stat(path); }
  Result<std::vector<std::string>> List(const std::string& directory) override {
    return files_.List(directory);
  }
  Status MakeDirectory(const std::string& path, int mode) override {
    return files_.MakeDirectory(path, mode);
  }
  Status Remove(const std::string& path) override { return files_.Remove(path); }
  Status RemoveTree(const std::string& path) override { return files_.RemoveTree(path); }
  Status RenameNoReplace(const std::string& from, const std::string& to) override {
    return files_.RenameNoReplace(from, to);
  }
  Status Exchange(const std::string& a, const std::string& b) override {
    return files_.Exchange(a, b);
  }
  Result<std::uint64_t> FreeBytes(const std::string& path) override {
    return files_.FreeBytes(path);
  }

 private:
  FileSystem& files_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool visited_ = false, open_ = false;  // Guarded by mutex_.
};

// Its slot stayed taken until it was given up, and the end of its job waited for that.
TEST(TaskEngineTest, AnAttemptThatIsStoppedTooLateToNoticeIsStopped) {
  for (const std::uint32_t partitions : {1, 2}) {
    TestJob job(TestPlugin("faulty"), {"well"}, "a\nb\nc\nd\ne\n", 1, 2);
    job.start.mutable_spec()->set_durable(true);
    HeldFileSystem files(job.files);
    Engine e(job, 1, 0, files);
    e.engine->Handle(job.StartMap(job.Map(0)));
    ASSERT_TRUE(e.inbox.AwaitKind(wire::Message::kMapDone).has_value());
    wire::Message start = job.StartReduce(job.Reduce(0));
    start.mutable_start_reduce()->set_partitions(partitions);
    e.engine->Handle(start);
    e.engine->Handle(job.Available(job.Reduce(0), {job.Map(0)}));
    files.AwaitVisitor();
    e.engine->Handle(TestJob::Stop(job.Reduce(0)));
    files.LetThrough();
    const auto answer = e.inbox.Next();
    ASSERT_TRUE(answer.has_value());
    EXPECT_TRUE(answer->has_attempt_stopped()) << answer->ShortDebugString();
    EXPECT_TRUE(e.engine->attempts().empty());
    for (const std::uint32_t partition : {0, 1}) EXPECT_FALSE(job.HasPart(partition));
  }
}

// --- Reduces of several partitions.

wire::Message StartJoin(const TestJob& job, const AttemptId& first, std::uint32_t partitions) {
  wire::Message message = job.StartReduce(first);
  message.mutable_start_reduce()->set_partitions(partitions);
  return message;
}

/// All maps of the job, on the engine.
std::vector<AttemptId> RunMaps(Engine& e, const TestJob& job) {
  std::vector<AttemptId> maps;
  for (std::uint32_t map = 0; map < job.start.maps(); ++map) {
    maps.push_back(job.Map(map));
    e.engine->Handle(job.StartMap(maps.back()));
    EXPECT_TRUE(e.inbox.AwaitKind(wire::Message::kMapDone).has_value());
  }
  return maps;
}

/// What an attempt answers that is told these segments.
wire::Message RunReading(Engine& e, const TestJob& job, const wire::Message& start,
                         const std::vector<AttemptId>& segments) {
  const AttemptId id = FromWire(start.has_start_combine() ? start.start_combine().attempt()
                                                          : start.start_reduce().attempt());
  e.engine->Handle(start);
  e.engine->Handle(job.Available(id, segments));
  return e.inbox.Next().value_or(wire::Message());
}

std::size_t FilesIn(const std::string& directory) {
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory))
    files += entry.is_regular_file() ? 1 : 0;
  return files;
}

TEST(TaskEngineJoinTest, WritesAPartOfEachPartitionAndAsksOnceToCommitThem) {
  const CountedLines lines(3);
  TestJob job(TestPlugin("faulty"), {"well"}, lines.text, 3, 5);
  job.start.mutable_spec()->set_durable(true);
  Engine e(job, 2);
  const std::vector<AttemptId> maps = RunMaps(e, job);
  const wire::Message answer = RunReading(e, job, StartJoin(job, job.Reduce(1), 3), maps);
  ASSERT_TRUE(answer.has_commit_request()) << answer.ShortDebugString();
  const wire::CommitRequest& request = answer.commit_request();
  EXPECT_EQ(FromWire(request.attempt()), job.Reduce(1));
  ASSERT_EQ(request.joined_size(), 2);
  EXPECT_EQ(e.source.fetches(), 3) << "one for each map output, whatever the partitions";
  std::uint64_t records = 0;
  for (std::uint32_t partition = 1; partition <= 3; ++partition) {
    const wire::PartInfo& part =
        partition == 1 ? request.part() : request.joined(static_cast<int>(partition) - 2).part();
    const wire::PartitionLoad& load =
        partition == 1 ? request.load() : request.joined(static_cast<int>(partition) - 2).load();
    const wire::Message alone = RunReading(e, job, job.StartReduce(job.Reduce(partition, 1)), maps);
    ASSERT_TRUE(alone.has_commit_request());
    EXPECT_EQ(alone.commit_request().joined_size(), 0);
    EXPECT_EQ(part.SerializeAsString(), alone.commit_request().part().SerializeAsString());
    EXPECT_EQ(load.records(), alone.commit_request().load().records());
    EXPECT_EQ(load.shuffled_bytes(), alone.commit_request().load().shuffled_bytes());
    EXPECT_GT(load.run_us(), 0u);
    EXPECT_FALSE(job.ReadPart(partition).empty());
    EXPECT_EQ(job.ReadPart(partition), job.ReadPart(partition, 1));
    records += part.records();
  }
  EXPECT_EQ(request.stats().output_records(), records);
  EXPECT_FALSE(job.HasPart(0));
  EXPECT_FALSE(job.HasPart(4));
  e.engine->Handle(StartJoin(job, job.Reduce(1), 3));  // It asks again.
  EXPECT_TRUE(e.inbox.AwaitKind(wire::Message::kCommitRequest).has_value());
  e.engine->Handle(TestJob::Grant(job.Reduce(1)));
  for (std::uint32_t partition = 1; partition <= 3; ++partition)
    EXPECT_TRUE(job.HasPart(partition));
}

TEST(TaskEngineJoinTest, RemovesAllPartsWhenItMayNotCommit) {
  const CountedLines lines(4);
  for (const bool refused : {false, true}) {
    TestJob job(TestPlugin("faulty"), {"well"}, lines.text, 2, 3);
    Engine e(job, 1);
    const std::vector<AttemptId> maps = RunMaps(e, job);
    ASSERT_TRUE(RunReading(e, job, StartJoin(job, job.Reduce(0), 3), maps).has_commit_request());
    EXPECT_EQ(FilesIn(job.start.staging_dir()), 3u);
    e.engine->Handle(refused ? TestJob::Refuse(job.Reduce(0)) : TestJob::Stop(job.Reduce(0)));
    EXPECT_TRUE(e.inbox.AwaitKind(wire::Message::kAttemptStopped).has_value());
    EXPECT_EQ(FilesIn(job.start.staging_dir()), 0u);
  }
}

TEST(TaskEngineJoinTest, LeavesNoFileWhenOneOfItsPartitionsFails) {
  const CountedLines lines(5);
  constexpr std::uint32_t kParts = 5;
  TestJob job(TestPlugin("faulty"), {"reduce-throw"}, lines.text + "BOOM\n", 2, kParts);
  Engine e(job, 1);
  const std::vector<AttemptId> maps = RunMaps(e, job);
  std::uint32_t bad = 0;
  for (; bad < kParts; ++bad)
    if (RunReading(e, job, job.StartReduce(job.Reduce(bad, 1)), maps).has_attempt_failed()) break;
  ASSERT_GT(bad, 0u) << "it must be one in the middle: take other lines";
  ASSERT_LT(bad, kParts - 1);
  for (std::uint32_t partition = 0; partition < bad; ++partition)
    e.engine->Handle(TestJob::Refuse(job.Reduce(partition, 1)));
  for (std::uint32_t partition = 0; partition < bad; ++partition)
    EXPECT_TRUE(e.inbox.AwaitKind(wire::Message::kAttemptStopped).has_value());
  ASSERT_EQ(FilesIn(job.start.staging_dir()), 0u);
  const wire::Message answer = RunReading(e, job, StartJoin(job, job.Reduce(0), kParts), maps);
  ASSERT_TRUE(answer.has_attempt_failed()) << answer.ShortDebugString();
  EXPECT_EQ(FromWire(answer.attempt_failed().attempt()), job.Reduce(0));
  EXPECT_EQ(FromWire(answer.attempt_failed().status()).code(), Code::kUserCode);
  EXPECT_EQ(FilesIn(job.start.staging_dir()), 0u);
}

TEST(TaskEngineJoinTest, IsGivenUpWhenItsPartitionsHaveTooManyDirectoriesTogether) {
  // 900 directories with names of half a KiB: either partition's fit a commit, both do not.
  std::string text;
  for (int i = 0; i < 900; ++i)
    text += std::to_string(i) + std::string(225, 'd') + "\t" + std::string(230, 'c') + "\t1\n";
  TestJob job(TestPlugin("partitions"), {"write"}, text, 1, 2);
  job.start.mutable_spec()->set_writes_directories(true);
  Engine e(job, 1);
  const std::vector<AttemptId> maps = RunMaps(e, job);
  const wire::Message answer = RunReading(e, job, StartJoin(job, job.Reduce(0), 2), maps);
  ASSERT_TRUE(answer.has_attempt_failed()) << answer.ShortDebugString().substr(0, 500);
  EXPECT_EQ(FromWire(answer.attempt_failed().status()).code(), Code::kCancelled)
      << "so that each is reduced alone, and nothing counted as a failure";
  EXPECT_THAT(
      answer.attempt_failed().status().message(),
      HasSubstr("2 partitions have more counters and directories than one commit can tell"));
  EXPECT_EQ(FilesIn(job.start.staging_dir()), 0u);
  for (std::uint32_t partition = 0; partition < 2; ++partition)
    EXPECT_TRUE(
        RunReading(e, job, job.StartReduce(job.Reduce(partition, 1)), maps).has_commit_request());
  EXPECT_EQ(FilesIn(job.start.staging_dir()), 900u);
}

// --- Combines.

AttemptId Combine(std::uint32_t task, std::uint32_t attempt = 0) {
  return {kTestJob, TaskKind::kCombine, task, attempt};
}

/// A combine of partition 1 of the job below.
wire::Message StartCombine(const AttemptId& id, const SegmentRange& sources,
                           std::uint32_t segment) {
  wire::Message message;
  wire::StartCombine& start = *message.mutable_start_combine();
  *start.mutable_attempt() = ToWire(id);
  start.set_partition(1);
  start.set_first_segment(sources.first);
  start.set_segments(sources.count);
  start.set_segment(segment);
  return message;
}

/// Reads what combines wrote: segments behind those of the maps.
wire::Message StartOfPieces(const TestJob& job, const AttemptId& id, std::uint32_t pieces) {
  wire::Message message = job.StartReduce(id);
  message.mutable_start_reduce()->set_first_segment(job.start.maps());
  message.mutable_start_reduce()->set_maps(pieces);
  return message;
}

std::string HotLines() {
  std::string text;
  for (int i = 0; i < 4'000; ++i)
    text += "h" + std::to_string(i * 7919 % 101) + "\t" + std::to_string(i) + "\n";
  return text;
}

TEST(TaskEngineCombineTest, LeavesSegmentsThatAReduceReadsInPlaceOfTheMaps) {
  for (const char* how : {"combiner", "fold"}) {
    SCOPED_TRACE(how);
    TestJob job(TestPlugin("skewed"), {how}, HotLines(), 4, 2);
    Engine e(job, 2);
    const std::vector<AttemptId> maps = RunMaps(e, job);
    for (std::uint32_t piece = 0; piece < 2; ++piece) {
      const wire::Message answer =
          RunReading(e, job, StartCombine(Combine(piece), {2 * piece, 2}, 4 + piece),
                     {maps[2 * piece], maps[2 * piece + 1]});
      ASSERT_TRUE(answer.has_map_done()) << answer.ShortDebugString();
      EXPECT_EQ(FromWire(answer.map_done().attempt()), Combine(piece));
      EXPECT_EQ(answer.map_done().records(), 101u);
      EXPECT_GT(answer.map_done().segment_bytes(), 0u);
      EXPECT_EQ(answer.map_done().partition_hashes_size(), 0) << "nobody compares them";
    }
    EXPECT_EQ(e.source.fetches(), 4);
    const std::vector<AttemptId> pieces = {job.Map(4), job.Map(5)};
    ASSERT_TRUE(
        RunReading(e, job, StartOfPieces(job, job.Reduce(1), 2), pieces).has_commit_request());
    ASSERT_TRUE(RunReading(e, job, job.StartReduce(job.Reduce(1, 1)), maps).has_commit_request());
    EXPECT_FALSE(job.ReadPart(1).empty());
    EXPECT_EQ(job.ReadPart(1), job.ReadPart(1, 1));
    // The same order again does not run it again.
    e.engine->Handle(StartCombine(Combine(0), {0, 2}, 4));
    EXPECT_TRUE(e.inbox.AwaitKind(wire::Message::kMapDone).has_value());
    EXPECT_EQ(e.source.fetches(), 10);
  }
}

TEST(TaskEngineCombineTest, TellsOfASegmentThatItCannotReadAndWaitsForAnother) {
  TestJob job(TestPlugin("skewed"), {"fold"}, HotLines(), 2, 2);
  Engine e(job, 1);
  const std::vector<AttemptId> maps = RunMaps(e, job);
  const wire::Message lost =
      RunReading(e, job, StartCombine(Combine(0), {1, 1}, 2), {job.Map(1, 5)});
  ASSERT_TRUE(lost.has_segment_lost()) << lost.ShortDebugString();
  EXPECT_EQ(FromWire(lost.segment_lost().reduce()), Combine(0));
  EXPECT_EQ(lost.segment_lost().map_task(), 1u);
  EXPECT_EQ(lost.segment_lost().map_attempt(), 5u);
  EXPECT_FALSE(lost.segment_lost().ended());
  e.engine->Handle(job.Available(Combine(0), maps));  // One of them is not for it.
  EXPECT_TRUE(e.inbox.AwaitKind(wire::Message::kMapDone).has_value());
  EXPECT_EQ(e.source.fetches(), 2);
}

TEST(TaskEngineCombineTest, IsStoppedWhileItWaits) {
  TestJob job(TestPlugin("skewed"), {"fold"}, HotLines(), 2, 2);
  Engine e(job, 1);
  e.engine->Handle(StartCombine(Combine(0), {0, 2}, 2));
  EXPECT_EQ(e.engine->attempts(), std::vector<AttemptId>{Combine(0)});
  e.engine->Handle(TestJob::Stop(Combine(0)));
  const auto stopped = e.inbox.AwaitKind(wire::Message::kAttemptStopped);
  EXPECT_EQ(FromWire(stopped->attempt_stopped().attempt()), Combine(0));
  EXPECT_TRUE(e.engine->attempts().empty());
}

TEST(TaskEngineCombineTest, TellsWhoFailed) {
  TestJob job(TestPlugin("skewed"), {"failing"}, HotLines(), 2, 2);
  Engine e(job, 1);
  const wire::Message answer =
      RunReading(e, job, StartCombine(Combine(0, 3), {0, 2}, 2), RunMaps(e, job));
  ASSERT_TRUE(answer.has_attempt_failed()) << answer.ShortDebugString();
  EXPECT_EQ(FromWire(answer.attempt_failed().attempt()), Combine(0, 3));
  EXPECT_EQ(FromWire(answer.attempt_failed().status()).code(), Code::kUserCode);
}

TEST(TaskEngineCombineTest, NonsenseFailsItsAttemptOnly) {
  TestJob job(TestPlugin("skewed"), {"fold"}, HotLines(), 4, 3);
  Engine e(job, 1);
  std::uint32_t attempt = 0;
  const auto refused = [&](wire::Message message) {
    SCOPED_TRACE(message.ShortDebugString());
    auto& id = message.has_start_combine() ? *message.mutable_start_combine()->mutable_attempt()
                                           : *message.mutable_start_reduce()->mutable_attempt();
    id.set_attempt(++attempt);
    e.engine->Handle(message);
    const auto failed = e.inbox.AwaitKind(wire::Message::kAttemptFailed);
    ASSERT_TRUE(failed.has_value());
    EXPECT_EQ(FromWire(failed->attempt_failed().attempt()), FromWire(id));
    EXPECT_EQ(FromWire(failed->attempt_failed().status()).code(), Code::kInvalidArgument);
  };
  refused(StartCombine(job.Reduce(0), {0, 4}, 4));  // A reduce.
  refused(StartCombine(Combine(0), {0, 5}, 4));     // More maps than there are,
  refused(StartCombine(Combine(0), {5, 0}, 4));     // behind them,
  refused(StartCombine(Combine(0), {3, UINT32_MAX}, 4));
  refused(StartCombine(Combine(0), {0, 4}, 3));  // In the place of a map's output.
  wire::Message beyond = StartCombine(Combine(0), {0, 4}, 4);
  beyond.mutable_start_combine()->set_partition(3);
  refused(beyond);
  refused(StartJoin(job, job.Reduce(1), 3));  // Partitions that there are not.
  refused(StartJoin(job, job.Reduce(0), UINT32_MAX));
  refused(StartJoin(job, job.Reduce(3), 1));
  wire::Message few = job.StartReduce(job.Reduce(0));  // Some of the maps' outputs.
  few.mutable_start_reduce()->set_maps(3);
  refused(few);
  wire::Message behind = StartOfPieces(job, job.Reduce(0), 2);
  behind.mutable_start_reduce()->set_first_segment(2);  // Half maps', half combines'.
  refused(behind);
  refused(StartOfPieces(job, job.Reduce(0), 5));  // More pieces than maps.
  refused(StartOfPieces(job, job.Reduce(0), UINT32_MAX));
  EXPECT_TRUE(e.engine->attempts().empty());
  TestJob map_only(BuiltInPlugin("grep"), {"needle"}, "a needle\n", 1, 1);
  Engine other(map_only, 1);
  other.engine->Handle(StartCombine(Combine(0), {0, 1}, 1));
  EXPECT_TRUE(other.inbox.AwaitKind(wire::Message::kAttemptFailed).has_value());
}

}  // namespace
}  // namespace spillway
