#include "runtime/task/loop_exchange.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstring>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "mapreduce/mapreduce.h"
#include "runtime/storage/posix_file_system.h"
#include "runtime/task/plugin_library.h"

namespace spillway {
namespace {

/// Adds what its parts leave to its state in each round; "fails" in Next above 1 000.
class Adder {
 public:
  using Input = TextLines;
  struct Batch {
    std::uint64_t sum = 0;
    std::uint64_t bytes() const { return sizeof *this; }
  };
  struct Start {
    std::uint64_t sum = 0;
  };
  struct Partial {
    std::uint64_t sum = 0;
  };
  struct State {
    std::uint64_t total = 0;
  };

  /// What a round of this sum calls, in the middle of its step.
  static constexpr std::uint64_t kCallsSum = 77;
  static inline std::function<void()> during_next = [] {};

  void Parse(const Line&, Batch& batch) const { ++batch.sum; }
  void Gather(const Batch& batch, Start& start) const { start.sum += batch.sum; }
  void Join(Start& into, const Start& from) const { into.sum += from.sum; }
  void First(const Start& all, State& state) const { state.total = all.sum; }
  void Map(const Batch& batch, const State&, Partial& into) const { into.sum += batch.sum; }
  void Fold(Partial& into, const Partial& from) const { into.sum = into.sum * 10 + from.sum; }
  bool Next(State& state, const Partial& total, const LoopRound&) const {
    if (total.sum == kCallsSum) during_next();
    state.total += total.sum;
    if (state.total > 1'000) throw BadRecord("too large");
    return total.sum == 0;
  }
  void Print(const State& state, OutputBuffer& out) const { out.AppendNumber(state.total); }
};

}  // namespace
}  // namespace spillway

SPILLWAY_PLUGIN("adder", "adds", "") { return spillway::NewLoop(spillway::Adder()).Rounds(5); }

namespace spillway {
namespace {

constexpr AttemptId kSeat{1, TaskKind::kMap, 0, 0};
constexpr std::uint64_t kGeneration = 4;

std::string Saved(std::uint64_t sum) {
  return std::string(reinterpret_cast<const char*>(&sum), sizeof sum);
}

class LoopExchangeTest : public ::testing::Test {
 protected:
  LoopExchangeTest() {
    auto library = PluginLibrary::Linked(&spillway_plugin_v1);
    plugin_ = std::move(PluginJob::Configure(*library, {})).value();
    context_.plugin = plugin_.get();
    host_ = std::make_unique<TaskHost>(context_, TaskIdentity{}, control_);
    Open({.parts = 2, .rounds_max = 5});
  }

  void Open(const LoopExchange::Options& options) {
    exchange_ = std::make_unique<LoopExchange>(
        options, LoopExchange::Post{[this](const LoopContribution& said) { said_.push_back(said); },
                                    [this](const LoopCheckpointNote& note) {
                                      notes_.push_back(note);
                                      on_note_();
                                    }});
  }

  void TellRound(std::uint32_t round, std::uint64_t a, std::uint64_t b) {
    exchange_->Add({kGeneration, round}, {{1, Saved(b)}});
    exchange_->Add({kGeneration, round}, {{0, Saved(a)}});
  }
  LoopExchange::Turn Await(const LoopPlace& last) {
    auto turn = exchange_->Await(kSeat, last, *host_, control_);
    EXPECT_TRUE(turn.ok()) << turn.status().message();
    return turn.ok() ? *turn : LoopExchange::Turn{};
  }
  static std::uint64_t Total(const LoopExchange::Turn& turn) {
    std::uint64_t total = 0;
    std::memcpy(&total, turn.state->get(), sizeof total);
    return total;
  }

  std::unique_ptr<PluginJob> plugin_;
  JobContext context_;
  AttemptControl control_;
  std::unique_ptr<TaskHost> host_;
  std::unique_ptr<LoopExchange> exchange_;
  std::vector<LoopContribution> said_;
  std::vector<LoopCheckpointNote> notes_;
  std::function<void()> on_note_ = [] {};
};

TEST_F(LoopExchangeTest, AsksOnceWhereTheLoopIs) {
  control_.Cancel();
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(exchange_->Await(kSeat, {}, *host_, control_).status().code(), Code::kCancelled);
  ASSERT_EQ(said_.size(), 1u);
  EXPECT_EQ(said_[0].place, LoopPlace{});
}

TEST_F(LoopExchangeTest, FoldsTheRoundInTheOrderOfPartsAndStepsOn) {
  exchange_->Begin(kGeneration, false);
  const LoopExchange::Turn first = Await({});
  EXPECT_EQ(first.place, (LoopPlace{kGeneration, 0}));
  EXPECT_EQ(first.state, nullptr);
  TellRound(0, 1, 2);
  const LoopExchange::Turn second = Await(first.place);
  EXPECT_EQ(second.place.round, 1u);
  EXPECT_EQ(Total(second), 3u);
  TellRound(1, 4, 5);
  EXPECT_EQ(Total(Await(second.place)), 3u + 45u);
  EXPECT_EQ(Total(second), 3u) << "whoever still holds a state may read it";
}

TEST_F(LoopExchangeTest, CatchesUpWithRoundsThatAreOver) {
  exchange_->Begin(kGeneration, false);
  TellRound(2, 0, 3);  // Out of order, as after a repetition.
  TellRound(0, 1, 2);
  TellRound(1, 4, 5);
  const LoopExchange::Turn turn = Await({});
  EXPECT_EQ(turn.place.round, 3u);
  EXPECT_EQ(Total(turn), 3u + 45u + 3u);
}

TEST_F(LoopExchangeTest, GoesOnFromTheNewestRoundWhereRoundsStandAlone) {
  Open({.parts = 2, .rounds_max = 5, .stand_alone = true});
  exchange_->Begin(kGeneration, false);
  TellRound(3, 4, 5);
  const LoopExchange::Turn late = Await({});
  EXPECT_EQ(late.place, (LoopPlace{kGeneration, 4}));
  EXPECT_EQ(Total(late), 45u) << "Next is given a new state";
  TellRound(4, 0, 7);
  const LoopExchange::Turn next = Await(late.place);
  EXPECT_EQ(Total(next), 7u) << "in every round";
  EXPECT_EQ(Total(late), 45u);
  EXPECT_EQ(exchange_->history().round_us.size(), 5u) << "those that were passed over count";
}

TEST_F(LoopExchangeTest, PassesOverRoundsThatAreNotWholeWhereTheyStandAlone) {
  Open({.parts = 2, .rounds_max = 9, .stand_alone = true});
  exchange_->Begin(kGeneration, false);
  TellRound(0, 1, 2);
  const LoopExchange::Turn first = Await({});
  exchange_->Add({kGeneration, 1}, {{0, Saved(1)}});  // The rest was lost with a session.
  TellRound(5, 0, 8);
  exchange_->Add({kGeneration, 6}, {{0, Saved(1)}});
  const LoopExchange::Turn late = Await(first.place);
  EXPECT_EQ(late.place.round, 6u);
  EXPECT_EQ(Total(late), 8u);
  exchange_->Add({kGeneration, 6}, {{1, Saved(2)}});
  EXPECT_EQ(Total(Await(late.place)), 12u);
}

TEST_F(LoopExchangeTest, NeedsNobodyElseWhereAllSeatsAreHere) {
  Open({.parts = 2, .rounds_max = 5, .alone = true});
  exchange_->Begin(kGeneration, false);
  Await({});
  ASSERT_TRUE(
      exchange_->Contribute({{1, TaskKind::kMap, 1, 0}, {kGeneration, 0}, {{1, Saved(2)}}}).ok());
  ASSERT_TRUE(exchange_->Contribute({kSeat, {kGeneration, 0}, {{0, Saved(1)}}}).ok());
  EXPECT_EQ(Total(Await({kGeneration, 0})), 3u);
  EXPECT_TRUE(said_.empty());
}

TEST_F(LoopExchangeTest, RefusesARoundThatIsTooLargeForAllPartsHere) {
  Open({.parts = 2, .rounds_max = 5, .part_bytes_max = 8, .round_bytes_max = 15});
  exchange_->Begin(kGeneration, false);
  EXPECT_TRUE(exchange_->Contribute({kSeat, {kGeneration, 0}, {{0, Saved(1)}}}).ok());
  EXPECT_TRUE(exchange_->Contribute({kSeat, {kGeneration, 0}, {{0, Saved(1)}}}).ok());
  const AttemptId other{1, TaskKind::kMap, 1, 0};
  EXPECT_EQ(exchange_->Contribute({other, {kGeneration, 0}, {{1, Saved(1)}}}).code(),
            Code::kInvalidArgument);
}

class LoopExchangeCheckpointTest : public LoopExchangeTest {
 protected:
  LoopExchangeCheckpointTest() {
    std::string name = ::testing::TempDir() + "exchange-XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
    checkpoints_ = std::make_unique<LoopCheckpoints>(files_, directory_, false);
    Open();
  }
  ~LoopExchangeCheckpointTest() override { EXPECT_TRUE(files_.RemoveTree(directory_).ok()); }
  void Open() {
    LoopExchangeTest::Open(
        {.parts = 2, .rounds_max = 9, .checkpoint_every = 2, .checkpoints = checkpoints_.get()});
  }

  PosixFileSystem files_;
  std::string directory_;
  std::unique_ptr<LoopCheckpoints> checkpoints_;
};

TEST_F(LoopExchangeCheckpointTest, WritesTheStateAfterEveryNRounds) {
  exchange_->Begin(kGeneration, false);
  LoopExchange::Turn turn = Await({});
  for (std::uint32_t round = 0; round < 8; ++round) {
    EXPECT_TRUE(exchange_->Checkpoint(kSeat, turn, *host_).ok());
    TellRound(round, 0, 1);
    turn = Await(turn.place);
  }
  ASSERT_EQ(notes_.size(), 3u);
  EXPECT_EQ(notes_[0].place, (LoopPlace{kGeneration, 3})) << "after rounds 1 and 2";
  EXPECT_EQ(notes_[2].place, (LoopPlace{kGeneration, 7}));
  EXPECT_FALSE(notes_[2].unreadable);
  EXPECT_EQ(*checkpoints_->Read(7), Saved(7));
  EXPECT_EQ(*checkpoints_->Read(5), Saved(5));
  EXPECT_FALSE(checkpoints_->Read(3).ok()) << "the two newest are kept";
}

TEST_F(LoopExchangeCheckpointTest, GoesOnFromTheStateThatWasWritten) {
  ASSERT_TRUE(checkpoints_->Write(5, 0, Saved(100)).ok());
  exchange_->Begin(kGeneration, false, 5);
  const LoopExchange::Turn turn = Await({});
  EXPECT_EQ(turn.place, (LoopPlace{kGeneration, 5}));
  EXPECT_EQ(Total(turn), 100u);
  EXPECT_EQ(exchange_->history().resumed, 5u);
  EXPECT_TRUE(exchange_->Checkpoint(kSeat, turn, *host_).ok());
  EXPECT_TRUE(notes_.empty()) << "it is there";
  TellRound(5, 0, 1);
  const LoopExchange::Turn next = Await(turn.place);
  EXPECT_EQ(Total(next), 101u);
  EXPECT_EQ(exchange_->history().round_us.size(), 6u);
  exchange_->Begin(kGeneration, false, 5);
  EXPECT_EQ(Await({}).place.round, 6u) << "who is beyond it does not go back";
}

TEST_F(LoopExchangeCheckpointTest, MakesUpForRoundsThatWereDroppedWhileItWasTold) {
  ASSERT_TRUE(checkpoints_->Write(5, 0, Saved(100)).ok());
  exchange_->Begin(kGeneration, false);
  TellRound(0, 1, 2);
  exchange_->Add({kGeneration, 1}, {{0, Saved(1)}});
  exchange_->Begin(kGeneration, false, 5);
  TellRound(5, 0, 2);
  const LoopExchange::Turn turn = Await({});
  EXPECT_EQ(turn.place.round, 6u);
  EXPECT_EQ(Total(turn), 102u);
}

TEST_F(LoopExchangeCheckpointTest, SaysThatItIsUnreadableAndWaitsToBeToldOtherwise) {
  exchange_->Begin(kGeneration, false, 5);
  on_note_ = [&] { exchange_->Begin(kGeneration + 1, false); };
  EXPECT_EQ(Await({}).place, (LoopPlace{kGeneration + 1, 0}));
  ASSERT_EQ(notes_.size(), 1u);
  EXPECT_TRUE(notes_[0].unreadable);
  EXPECT_EQ(notes_[0].place, (LoopPlace{kGeneration, 5}));
}

TEST_F(LoopExchangeTest, EndsWhenItConvergesOrHasNoRoundsLeft) {
  exchange_->Begin(kGeneration, false);
  TellRound(0, 1, 2);
  TellRound(1, 0, 0);
  EXPECT_TRUE(Await({}).ended);
  EXPECT_TRUE(exchange_->history().converged);
  EXPECT_EQ(exchange_->history().rounds, 1u);
  EXPECT_EQ(exchange_->history().round_us.size(), 2u);

  Open({.parts = 2, .rounds_max = 0});
  exchange_->Begin(kGeneration, false);
  TellRound(0, 1, 2);
  EXPECT_TRUE(Await({}).ended);
  EXPECT_FALSE(exchange_->history().converged);
}

TEST_F(LoopExchangeTest, NeedsNoPartsWhereThereAreNone) {
  Open({.parts = 0, .rounds_max = 5});
  exchange_->Begin(kGeneration, false);
  EXPECT_TRUE(Await({}).ended) << "nothing is added, so it converges";
}

TEST_F(LoopExchangeTest, BeginsAgainInAnotherGeneration) {
  exchange_->Begin(kGeneration - 1, false);
  exchange_->Add({kGeneration - 1, 0}, {{0, Saved(1)}, {1, Saved(1)}});
  const LoopExchange::Turn before = Await({});
  EXPECT_EQ(before.place.round, 1u);
  exchange_->Begin(kGeneration, false);
  exchange_->Add({kGeneration - 1, 0}, {{0, Saved(7)}, {1, Saved(7)}});  // Late.
  const LoopExchange::Turn after = Await(before.place);
  EXPECT_EQ(after.place, (LoopPlace{kGeneration, 0}));
  TellRound(0, 1, 2);
  EXPECT_EQ(Total(Await(after.place)), 3u);
}

TEST_F(LoopExchangeTest, SaysAgainWhatCountsForTheRoundInProgress) {
  exchange_->Begin(kGeneration, false);
  Await({});
  ASSERT_TRUE(exchange_->Contribute({kSeat, {kGeneration, 0}, {{0, Saved(1)}}}).ok());
  said_.clear();
  exchange_->Begin(kGeneration, false);
  ASSERT_EQ(said_.size(), 1u);
  EXPECT_EQ(said_[0].parts[0].bytes, Saved(1));
  TellRound(0, 1, 2);
  Await({kGeneration, 0});
  exchange_->Begin(kGeneration, false);
  EXPECT_EQ(said_.size(), 1u) << "that round is over";
}

TEST_F(LoopExchangeTest, RefusesAPartThatLeavesTooMuch) {
  Open({.parts = 1, .rounds_max = 5, .part_bytes_max = 8});
  exchange_->Begin(kGeneration, false);
  const Status status = exchange_->Contribute({kSeat, {kGeneration, 0}, {{0, "123456789"}}});
  EXPECT_EQ(status.code(), Code::kInvalidArgument);
  EXPECT_NE(status.message().find("--mode disk"), std::string::npos);
}

TEST_F(LoopExchangeTest, GivesTheFailureOfAStepToEverySeatThatTries) {
  for (int seat = 0; seat < 2; ++seat) {
    if (seat == 0) {
      exchange_->Begin(kGeneration, false);
      TellRound(0, 900, 0);
      TellRound(1, 99, 99);
    }
    TaskHost host(context_, TaskIdentity{}, control_);
    const auto turn = exchange_->Await(kSeat, {}, host, control_);
    EXPECT_EQ(turn.status().code(), Code::kBadData);
    EXPECT_NE(turn.status().message().find("too large"), std::string::npos);
  }
}

TEST_F(LoopExchangeTest, EndsForWhoIsLeftWhenTheResultIsWritten) {
  exchange_->Begin(kGeneration, true);
  const LoopExchange::Turn turn = Await({});
  EXPECT_TRUE(turn.ended);
  EXPECT_EQ(turn.state, nullptr);
}

TEST_F(LoopExchangeTest, EndsAlsoWhenItIsToldSoInTheMiddleOfAStep) {
  exchange_->Begin(kGeneration, false);
  TellRound(0, 1, 2);
  const LoopExchange::Turn first = Await({});
  Adder::during_next = [&] { exchange_->Begin(kGeneration, true); };
  TellRound(1, 7, 7);
  const LoopExchange::Turn turn = Await(first.place);
  Adder::during_next = [] {};
  EXPECT_TRUE(turn.ended);
}

TEST_F(LoopExchangeTest, KeepsTheTimesOfALimitedNumberOfRounds) {
  constexpr std::uint32_t kMany = LoopExchange::kRoundTimesMax + 5;
  Open({.parts = 2, .rounds_max = 1'000'000, .stand_alone = true});
  exchange_->Begin(kGeneration, false);
  TellRound(kMany, 0, 1);
  const LoopExchange::Turn late = Await({});
  EXPECT_EQ(exchange_->history().round_us.size(), LoopExchange::kRoundTimesMax);
  TellRound(kMany + 1, 0, 1);
  Await(late.place);
  EXPECT_EQ(exchange_->history().round_us.size(), LoopExchange::kRoundTimesMax);
  EXPECT_EQ(exchange_->history().rounds, kMany + 1);
}

TEST_F(LoopExchangeTest, WakesAllSeatsThatWait) {
  exchange_->Begin(kGeneration, false);
  const auto wait = [&] {
    TaskHost host(context_, TaskIdentity{}, control_);
    return exchange_->Await(kSeat, {kGeneration, 0}, host, control_)->place.round;
  };
  auto one = std::async(std::launch::async, wait);
  auto other = std::async(std::launch::async, wait);
  TellRound(0, 1, 2);
  EXPECT_EQ(one.get(), 1u);
  EXPECT_EQ(other.get(), 1u);
}

}  // namespace
}  // namespace spillway
