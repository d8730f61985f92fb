// FetchPlan against simulated workers: requests are lost, doubled, late, damaged or refused, and
// workers stop for a while. Whatever happens, bytes come whole and in order or the segment is lost
// with a reason, the windows hold, and once the network heals everything ends in bounded time.
#include "runtime/transfer/fetch_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <string>

namespace spillway {
namespace {

using testing::HasSubstr;

struct FakeSegment {
  std::string head;
  std::string stream;
};

struct Faults {
  double lose = 0, twice = 0, damage = 0, refuse = 0, lie = 0;
  std::uint64_t delay_ms_max = 5;
};

class Simulation {
 public:
  Simulation(std::uint64_t seed, const FetchLimits& limits)
      : limits_(limits), plan_(limits), random_(seed) {}

  FetchOrderId Add(FetchSourceId source, std::size_t head_bytes, std::size_t stream_bytes) {
    const FetchOrderId id = next_id_++;
    FakeSegment& segment = segments_[id];
    for (std::size_t i = 0; i < head_bytes; ++i) segment.head += static_cast<char>(random_());
    for (std::size_t i = 0; i < stream_bytes; ++i) segment.stream += static_cast<char>(random_());
    partitions_[id] = {0, 1 + static_cast<std::uint32_t>(random_() % 2)};
    plan_.Add({id, source, partitions_[id]});
    live_.insert(id);
    return id;
  }

  void Drop(FetchOrderId id) {
    plan_.Drop(id);
    live_.erase(id);
  }

  /// Until nothing is left to do or the time has come.
  void Run(std::uint64_t until_ms) {
    plan_.Tick(now_ms_);
    Act();
    while (now_ms_ < until_ms && !live_.empty()) {
      const std::uint64_t reply_ms = replies_.empty() ? UINT64_MAX : replies_.begin()->first;
      const std::uint64_t next = std::min(reply_ms, plan_.next_tick_ms());
      ASSERT_NE(next, UINT64_MAX) << live_.size() << " orders wait for nothing";
      if (next > until_ms) break;
      now_ms_ = std::max(now_ms_, next);
      if (reply_ms <= now_ms_) {
        auto reply = std::move(replies_.begin()->second);
        replies_.erase(replies_.begin());
        if (reply.damaged)
          plan_.OnFailure(reply.request, Unavailable("damaged"), now_ms_);
        else
          plan_.OnReply(reply.request, std::move(reply.ranges), now_ms_);
      }
      plan_.Tick(now_ms_);
      Act();
      if (testing::Test::HasFatalFailure()) return;
    }
  }

  void Act() {
    for (auto actions = plan_.Take(); !actions.empty(); actions = plan_.Take()) {
      for (FetchPlan::Action& action : actions) std::visit([this](auto& a) { On(a); }, action);
      plan_.Tick(now_ms_);
    }
    CheckWindows();
  }

  void On(FetchPlan::Ask& ask) {
    std::uint64_t bytes = 0;
    for (const auto& range : ask.ranges) {
      bytes += range.bytes;
      ASSERT_EQ(partitions_[range.order], ask.partitions);
    }
    ASSERT_LE(bytes, limits_.request_bytes);
    ASSERT_LE(ask.ranges.size(), limits_.request_ranges_max);
    ++asks_;
    ranges_ += ask.ranges.size();
    const bool dead = dead_.count(ask.source) > 0;
    const int times = dead || Chance(faults_.lose) ? 0 : Chance(faults_.twice) ? 2 : 1;
    for (int i = 0; i < times; ++i)
      replies_.emplace(now_ms_ + random_() % (faults_.delay_ms_max + 1), Answer(ask));
  }

  void On(FetchPlan::Deliver& deliver) {
    ASSERT_EQ(live_.count(deliver.order), 1u);
    const FakeSegment& segment = segments_[deliver.order];
    auto& [head, stream] = received_[deliver.order];
    std::string& to = deliver.part == FetchPart::kHead ? head : stream;
    const std::string& from = deliver.part == FetchPart::kHead ? segment.head : segment.stream;
    to += deliver.piece.bytes;
    ASSERT_EQ(to, from.substr(0, to.size()));
    ASSERT_EQ(deliver.part_end, to.size() == from.size());
    if (deliver.part != FetchPart::kHead) return;
    ASSERT_EQ(deliver.segment_bytes, from.size() + segment.stream.size());
    if (deliver.part_end) plan_.SetStreamBytes(deliver.order, segment.stream.size());
  }

  void On(FetchPlan::Restart& restart) {
    ASSERT_EQ(live_.count(restart.order), 1u);
    received_[restart.order] = {};
    ++restarts_[restart.order];
    ASSERT_LE(restarts_[restart.order], limits_.restarts_max);
  }

  void On(FetchPlan::Complete& complete) {
    ASSERT_EQ(live_.erase(complete.order), 1u);
    ASSERT_EQ(received_[complete.order].head, segments_[complete.order].head);
    ASSERT_EQ(received_[complete.order].stream, segments_[complete.order].stream);
    completed_.insert(complete.order);
  }

  void On(FetchPlan::Lost& lost) {
    ASSERT_EQ(live_.erase(lost.order), 1u);
    lost_[lost.order] = lost.status;
  }

  FetchPlan& plan() { return plan_; }

  Faults faults_;
  std::set<FetchSourceId> dead_;
  std::set<FetchOrderId> live_, completed_;
  std::map<FetchOrderId, Status> lost_, refused_;
  std::map<FetchOrderId, std::uint32_t> restarts_;
  std::uint64_t now_ms_ = 0, asks_ = 0, ranges_ = 0;
  std::uint64_t outstanding_bytes_max_ = 0;

 private:
  struct Reply {
    std::uint64_t request;
    bool damaged;
    std::vector<FetchPlan::RangeReply> ranges;
  };

  bool Chance(double p) { return std::uniform_real_distribution<>()(random_) < p; }

  Reply Answer(const FetchPlan::Ask& ask) {
    Reply reply{ask.request, Chance(faults_.damage), {}};
    for (const FetchPlan::Range& range : ask.ranges) {
      const FakeSegment& segment = segments_[range.order];
      const bool head = range.part == FetchPart::kHead;
      auto bytes = std::make_shared<std::string>(
          (head ? segment.head : segment.stream).substr(range.position, range.bytes));
      FetchPlan::RangeReply part;
      if (Chance(faults_.refuse)) part.status = Unavailable("busy");
      if (refused_.count(range.order) > 0) part.status = refused_[range.order];
      if (head) part.head_bytes = segment.head.size();
      if (head) part.segment_bytes = segment.head.size() + segment.stream.size();
      if (Chance(faults_.lie)) bytes->resize(random_() % (bytes->size() + 2));
      if (part.status.ok()) part.piece = {*bytes, bytes};
      reply.ranges.push_back(std::move(part));
    }
    if (Chance(faults_.lie)) reply.ranges.resize(random_() % 3);
    return reply;
  }

  void CheckWindows() {
    std::uint64_t sum = 0;
    for (FetchSourceId source = 0; source < 8; ++source) {
      ASSERT_LE(plan_.outstanding_bytes(source), limits_.source_window_bytes);
      sum += plan_.outstanding_bytes(source);
    }
    ASSERT_EQ(sum, plan_.outstanding_bytes());
    ASSERT_LE(sum, limits_.total_window_bytes);
    outstanding_bytes_max_ = std::max(outstanding_bytes_max_, sum);
  }

  struct Received {
    std::string head, stream;
  };

  const FetchLimits limits_;
  FetchPlan plan_;
  std::mt19937_64 random_;
  FetchOrderId next_id_ = 1;
  std::map<FetchOrderId, FakeSegment> segments_;
  std::map<FetchOrderId, Received> received_;
  std::map<FetchOrderId, PartitionRange> partitions_;
  std::multimap<std::uint64_t, Reply> replies_;
};

// Heads and streams from nothing to several windows.
void AddSome(Simulation& simulation, std::mt19937_64& random) {
  const std::size_t orders = 1 + random() % 40;
  for (std::size_t i = 0; i < orders; ++i)
    simulation.Add(random() % 5, 104 + (random() % 2) * (random() % 900),
                   random() % 3 == 0 ? 0 : random() % 2000);
}

TEST(FetchPlanSimulation, AllArrivesFromWorkersThatWork) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    const auto limits = seed % 3 == 0 ? FetchLimits() : FetchLimits::Tiny();
    Simulation simulation(seed, limits);
    AddSome(simulation, random);
    const std::size_t orders = simulation.live_.size();
    simulation.Run(1'000'000);
    ASSERT_FALSE(testing::Test::HasFailure());
    ASSERT_EQ(simulation.completed_.size(), orders);
    ASSERT_EQ(simulation.plan().failures(), 0u);
    ASSERT_EQ(simulation.plan().outstanding_bytes(), 0u);
    ASSERT_EQ(simulation.plan().orders(), 0u);
    ASSERT_EQ(simulation.plan().next_tick_ms(), UINT64_MAX);
  }
}

TEST(FetchPlanSimulation, NothingWrongIsDeliveredWhateverHappensAndAllEndsOnceItHeals) {
  std::uint64_t completed = 0, lost = 0, restarts = 0;
  for (std::uint64_t seed = 1; seed <= 1500; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    FetchLimits limits = FetchLimits::Tiny();
    limits.tries_max = 2 + static_cast<std::uint32_t>(random() % 6);
    Simulation simulation(seed, limits);
    AddSome(simulation, random);
    const auto some = [&random] { return static_cast<double>(random() % 3) * 0.1; };
    for (int phase = 0; phase < 4; ++phase) {
      simulation.faults_ = {some(), some(), some(), some(), some(), random() % 100};
      simulation.dead_.clear();
      for (FetchSourceId source = 0; source < 5; ++source)
        if (random() % 5 == 0) simulation.dead_.insert(source);
      if (random() % 2 == 0) AddSome(simulation, random);
      simulation.Run(simulation.now_ms_ + random() % 300);
      if (!simulation.live_.empty() && random() % 2 == 0)
        simulation.Drop(*simulation.live_.begin());
      if (random() % 10 == 0) {
        simulation.plan().FailSource(random() % 5, Unavailable("gone"));
        simulation.Act();
      }
      ASSERT_FALSE(testing::Test::HasFailure());
    }
    simulation.faults_ = {};
    simulation.dead_.clear();
    simulation.Run(simulation.now_ms_ + 20'000);
    ASSERT_FALSE(testing::Test::HasFailure());
    ASSERT_EQ(simulation.live_.size(), 0u) << "at " << simulation.now_ms_ << " ms";
    ASSERT_EQ(simulation.plan().outstanding_bytes(), 0u);
    for (const auto& [id, status] : simulation.lost_)
      ASSERT_EQ(status.code(), Code::kUnavailable) << status.message();
    completed += simulation.completed_.size();
    lost += simulation.lost_.size();
    restarts += simulation.restarts_.size();
  }
  // The faults must reach what they are there for.
  EXPECT_GT(completed, 1000u);
  EXPECT_GT(lost, 1000u);
  EXPECT_GT(restarts, 1000u);
}

TEST(FetchPlan, ManySmallSegmentsShareRequests) {
  Simulation simulation(1, FetchLimits());
  for (int i = 0; i < 200; ++i) simulation.Add(0, 150, 1000);
  simulation.Run(10'000);
  EXPECT_EQ(simulation.completed_.size(), 200u);
  EXPECT_EQ(simulation.ranges_, 400u);
  EXPECT_LT(simulation.asks_, 100u);
}

TEST(FetchPlan, TheWindowsAreUsedInFull) {
  const FetchLimits limits;
  Simulation simulation(1, limits);
  simulation.Add(0, 150, 20 << 20);
  simulation.Run(10'000);
  EXPECT_EQ(simulation.outstanding_bytes_max_, limits.source_window_bytes);
}

TEST(FetchPlan, ADeadWorkerIsTriedAsOftenAsTheLimitsSayWithGrowingPauses) {
  FetchLimits limits = FetchLimits::Tiny();
  limits.tries_max = 4;
  Simulation simulation(1, limits);
  simulation.dead_ = {0};
  const FetchOrderId order = simulation.Add(0, 200, 100);
  simulation.Run(100'000);
  EXPECT_EQ(simulation.asks_, 8u);
  EXPECT_EQ(simulation.restarts_[order], 1u);
  // Eight time-outs, and between them pauses of 1, 2, 4, 8, 8, 8, 8 ms.
  EXPECT_EQ(simulation.now_ms_, 8 * limits.request_timeout_ms + 39);
  ASSERT_EQ(simulation.lost_.count(order), 1u);
  EXPECT_EQ(simulation.lost_[order].code(), Code::kUnavailable);
  EXPECT_THAT(simulation.lost_[order].message(), HasSubstr("8 tries"));
  EXPECT_THAT(simulation.lost_[order].message(), HasSubstr("no answer within 50 ms"));
}

TEST(FetchPlan, AllThatASilentWorkerHasIsLostTogether) {
  FetchLimits limits = FetchLimits::Tiny();
  limits.source_silence_ms_max = 2 * limits.request_timeout_ms;
  Simulation simulation(1, limits);
  simulation.dead_ = {0};
  // Many more than are under way at once.
  for (int i = 0; i < 50; ++i) simulation.Add(0, 200, 100);
  const FetchOrderId good = simulation.Add(1, 200, 100);
  simulation.Run(100'000);
  EXPECT_EQ(simulation.completed_, std::set<FetchOrderId>{good});
  EXPECT_EQ(simulation.lost_.size(), 50u);
  EXPECT_LE(simulation.now_ms_, limits.source_silence_ms_max + limits.backoff_ms_first);
  for (const auto& [id, status] : simulation.lost_) {
    EXPECT_EQ(status.code(), Code::kUnavailable);
    EXPECT_THAT(status.message(), HasSubstr("no answer to any request in"));
  }
}

TEST(FetchPlan, SilenceBeforeAPauseIsForgotten) {
  FetchLimits limits = FetchLimits::Tiny();
  limits.source_silence_ms_max = 1'000;
  Simulation simulation(1, limits);
  simulation.dead_ = {0};
  const FetchOrderId dropped = simulation.Add(0, 200, 100);
  simulation.Run(200);
  simulation.Drop(dropped);
  simulation.now_ms_ = 300;
  simulation.Run(300);  // The last request times out.
  simulation.now_ms_ = 10'000;
  const FetchOrderId order = simulation.Add(0, 200, 100);
  simulation.Run(10'900);
  EXPECT_EQ(simulation.lost_.count(order), 1u);  // For its tries, not for the silence.
  EXPECT_THAT(simulation.lost_[order].message(), HasSubstr("6 tries"));
}

TEST(FetchPlan, ASegmentThatIsNotThereOrDamagedIsLostAtOnceAndTheOthersArrive) {
  Simulation simulation(1, FetchLimits::Tiny());
  const FetchOrderId first = simulation.Add(0, 200, 300);
  const FetchOrderId missing = simulation.Add(0, 200, 300);
  const FetchOrderId damaged = simulation.Add(0, 200, 300);
  const FetchOrderId last = simulation.Add(0, 200, 300);
  simulation.refused_[missing] = NotFound("no such segment");
  simulation.refused_[damaged] = DataLoss("/disk: damaged");
  simulation.Run(10'000);
  EXPECT_EQ(simulation.completed_, (std::set<FetchOrderId>{first, last}));
  EXPECT_EQ(simulation.lost_[missing].code(), Code::kNotFound);
  EXPECT_EQ(simulation.lost_[damaged].code(), Code::kDataLoss);
  EXPECT_EQ(simulation.lost_[damaged].message(), "/disk: damaged");
  EXPECT_EQ(simulation.plan().failures(), 0u);
}

TEST(FetchPlan, AHeadThatCannotBeIsLostBeforeMoreIsAskedFor) {
  FetchPlan plan(FetchLimits::Tiny());
  for (const auto& [head_bytes, segment_bytes] :
       std::vector<std::pair<std::uint64_t, std::uint64_t>>{
           {103, 1000}, {(64 << 10) + 1, 1 << 20}, {500, 499}, {0, 0}}) {
    plan.Add({1, 0, 0});
    plan.Tick(0);
    const auto actions = plan.Take();
    const std::string bytes(120, 'x');
    std::vector<FetchPlan::RangeReply> replies(1);
    replies[0] = {OkStatus(), {bytes, nullptr}, head_bytes, segment_bytes};
    plan.OnReply(std::get<FetchPlan::Ask>(actions.at(0)).request, std::move(replies), 0);
    const auto lost = plan.Take();
    ASSERT_EQ(lost.size(), 1u);
    EXPECT_EQ(std::get<FetchPlan::Lost>(lost[0]).status.code(), Code::kDataLoss);
  }
  EXPECT_EQ(plan.outstanding_bytes(), 0u);
}

TEST(FetchPlan, AWorkerThatIsDownDoesNotStopTheOthers) {
  Simulation simulation(1, FetchLimits::Tiny());
  simulation.dead_ = {0};
  std::set<FetchOrderId> good;
  for (int i = 0; i < 20; ++i) {
    simulation.Add(0, 200, 1000);
    good.insert(simulation.Add(1, 200, 1000));
  }
  // Before the first order of the dead worker is lost.
  simulation.Run(250);
  EXPECT_EQ(simulation.completed_, good);
  EXPECT_TRUE(simulation.lost_.empty());
}

}  // namespace
}  // namespace spillway
