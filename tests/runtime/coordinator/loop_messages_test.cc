// What the coordinator tells workers of the rounds of loops.
#include <gtest/gtest.h>

#include <algorithm>

#include "runtime/protocol/loop_pieces.h"
#include "runtime/protocol/wire_values.h"
#include "tests/runtime/coordinator/machine_bench.h"

namespace spillway {
namespace {

constexpr std::uint32_t kParts = 2;

/// A worker with the seats that it was told to run. What it hears is acknowledged when it speaks.
class SeatedWorker {
 public:
  SeatedWorker(MachineBench& bench, std::string peer, std::uint64_t incarnation)
      : bench_(&bench), peer_(std::move(peer)), incarnation_(incarnation) {
    Register();
  }

  /// At this machine, as one that has been there under another one.
  void Resume(MachineBench& bench) {
    bench_ = &bench;
    sent_ = 0;
    scanned_ = 0;
    Register();
  }

  const std::vector<wire::Message>& heard() { return bench_->said[peer_]; }

  void Say(const wire::Message& message) { Send(++sent_, message.SerializeAsString()); }
  void Acknowledge() { Send(0, ""); }

  void Contribute(std::uint64_t generation, std::uint32_t round, std::uint32_t part,
                  const std::string& bytes) {
    LoopPacker packer(
        [&](wire::Message& message) {
          wire::LoopContribution& say = *message.mutable_loop_contribution();
          *say.mutable_seat() = Seats().front();
          say.set_generation(generation);
          say.set_round(round);
          return say.mutable_parts();
        },
        [&](const wire::Message& message) { Say(message); });
    packer.Add(part, bytes);
    packer.Flush();
  }
  void Ask() {
    wire::Message message;
    *message.mutable_loop_contribution()->mutable_seat() = Seats().front();
    Say(message);
  }
  void SayCheckpoint(std::uint64_t generation, std::uint32_t round, bool unreadable = false) {
    wire::Message message;
    wire::LoopCheckpoint& say = *message.mutable_loop_checkpoint();
    *say.mutable_seat() = Seats().front();
    say.set_generation(generation);
    say.set_round(round);
    say.set_unreadable(unreadable);
    Say(message);
  }
  /// Asks for the commit of the seat's part.
  void Commit(const wire::AttemptId& seat) {
    wire::Message message;
    *message.mutable_commit_request()->mutable_attempt() = seat;
    message.mutable_commit_request()->mutable_part();
    Say(message);
  }
  void Leave() {
    wire::Message message;
    message.mutable_leave();
    Say(message);
  }

  std::vector<wire::AttemptId> Seats() {
    for (const wire::Message& message : heard())
      if (message.has_start_map())
        seats_[message.start_map().attempt().task()] = message.start_map().attempt();
    std::vector<wire::AttemptId> seats;
    for (const auto& [task, seat] : seats_) seats.push_back(seat);
    return seats;
  }

  wire::LoopBegin LastBegin() {
    wire::LoopBegin begin;
    for (const wire::Message& message : heard())
      if (message.has_loop_begin()) begin = message.loop_begin();
    return begin;
  }
  /// By round and part.
  using Parts = std::map<std::pair<std::uint32_t, std::uint32_t>, std::string>;
  /// What it was told whole since the last call.
  Parts TakeTold() {
    Parts told;
    std::vector<wire::Message>& messages = bench_->said[peer_];
    for (; scanned_ < messages.size(); ++scanned_) {
      if (!messages[scanned_].has_loop_round()) continue;
      const wire::LoopRound round = std::move(*messages[scanned_].mutable_loop_round());
      for (const wire::LoopPart& piece : round.parts())
        if (auto bytes = assembly_.Take(0, piece))
          told[{round.round(), piece.part()}] = *std::move(bytes);
    }
    return told;
  }

 private:
  void Register() {
    wire::Message message;
    wire::Register& details = *message.mutable_register_();
    details.set_incarnation(incarnation_);
    details.set_registration(1);
    details.set_version_min(kProtocolVersionMin);
    details.set_version_max(kProtocolVersion);
    details.set_slots(kParts);
    details.set_epoch(epoch_);
    for (const auto& [task, seat] : seats_) *details.add_attempts() = seat;
    bench_->machine.OnFrame(peer_, Role::kNone, LoneFrame(message), bench_->now);
    bench_->Take();
    epoch_ = heard().front().registered().epoch();
    session_ = heard().front().registered().session();
  }
  void Send(std::uint64_t sequence, const std::string& message) {
    wire::Frame frame;
    frame.set_version(kProtocolVersion);
    frame.set_session(session_);
    frame.set_first_sequence(sequence);
    frame.set_acknowledged(heard().size() - 1);  // All but the answer to the registration.
    if (sequence != 0) frame.add_messages(message);
    bench_->machine.OnFrame(peer_, Role::kNone, frame.SerializeAsString(), bench_->now);
    bench_->Take();
  }

  MachineBench* bench_;
  const std::string peer_;
  const std::uint64_t incarnation_;
  std::uint64_t epoch_ = 0;
  std::uint64_t session_ = 0;
  std::uint64_t sent_ = 0;
  std::size_t scanned_ = 0;
  LoopAssembly assembly_{kLoneRoundPartBytesMax};
  std::map<std::uint32_t, wire::AttemptId> seats_;
};

class LoopMessagesTest : public ::testing::Test {
 protected:
  void Start(bool stand_alone) {
    wire::JobSpec spec = SampleSpec(kParts, kParts);
    spec.set_map_only(true);
    spec.mutable_loop()->set_parts(kParts);
    spec.mutable_loop()->set_rounds_max(1'000);
    spec.mutable_loop()->set_rounds_stand_alone(stand_alone);
    spec.mutable_limits()->set_attempts_max(4);
    bench_.Submit("client", spec);
    bench_.Open();
    ASSERT_EQ(one_.Seats().size(), kParts);
    one_.Ask();
    generation_ = one_.LastBegin().generation();
    ASSERT_NE(generation_, 0u);
  }
  static std::string Bytes(std::uint32_t round, std::uint32_t part, std::size_t bytes) {
    return std::string(bytes, static_cast<char>('a' + (round * kParts + part) % 26));
  }
  void Rounds(std::uint32_t from, std::uint32_t to, std::size_t bytes) {
    for (std::uint32_t round = from; round < to; ++round)
      for (std::uint32_t part = 0; part < kParts; ++part)
        one_.Contribute(generation_, round, part, Bytes(round, part, bytes));
  }
  /// Another worker, to which all seats go, and which asks where the loop is.
  SeatedWorker Late() {
    SeatedWorker late(bench_, "late", 22);
    one_.Leave();
    EXPECT_EQ(late.Seats().size(), kParts);
    late.Ask();
    return late;
  }
  static void HearAll(SeatedWorker& worker) {
    for (std::size_t before = 0; before != worker.heard().size();) {
      before = worker.heard().size();
      worker.Acknowledge();
    }
  }

  MachineBench bench_;
  SeatedWorker one_{bench_, "one", 11};
  std::uint64_t generation_ = 0;
};

TEST_F(LoopMessagesTest, WhoComesLateIsToldALogThatNoSessionHoldsAtOnce) {
  constexpr std::uint32_t kRounds = 300;
  constexpr std::size_t kBytes = 500'000;  // 300 MB in all, more than a channel's backlog.
  Start(false);
  for (std::uint32_t round = 0; round < kRounds; ++round) {
    Rounds(round, round + 1, kBytes);
    one_.TakeTold();  // Not kept twice.
  }
  SeatedWorker late = Late();
  std::size_t whole = 0;
  for (std::size_t before = 0; before != late.heard().size(); late.Acknowledge()) {
    before = late.heard().size();
    for (const auto& [place, bytes] : late.TakeTold()) {
      ASSERT_EQ(place.first * kParts + place.second, whole++);
      ASSERT_TRUE(bytes == Bytes(place.first, place.second, kBytes)) << place.first;
    }
  }
  EXPECT_EQ(whole, kRounds * kParts);
}

TEST_F(LoopMessagesTest, WhoComesLateIsToldTheNewestRoundWhereRoundsStandAlone) {
  constexpr std::size_t kBytes = 3 << 20;  // In pieces.
  Start(true);
  Rounds(0, 5, kBytes);
  SeatedWorker late = Late();
  HearAll(late);
  const auto told = late.TakeTold();
  ASSERT_EQ(told.size(), kParts);
  EXPECT_TRUE((told.at({4, 0}) == Bytes(4, 0, kBytes)));
  EXPECT_TRUE((told.at({4, 1}) == Bytes(4, 1, kBytes)));
  EXPECT_EQ(late.LastBegin().checkpoint_round(), 0u);
}

TEST_F(LoopMessagesTest, TheStateOfTheJobTellsTheRoundInProgress) {
  Start(false);
  const std::string job_id = bench_.LastReply("client").submitted().job_id();
  EXPECT_EQ(bench_.machine.StateOf(job_id)->stats().loop().rounds(), 0u);
  Rounds(0, 3, 10);
  EXPECT_EQ(bench_.machine.StateOf(job_id)->stats().loop().rounds(), 3u);
}

TEST_F(LoopMessagesTest, RoundsBeforeACheckpointAreToldNoMore) {
  Start(false);
  Rounds(0, 5, 10);
  one_.SayCheckpoint(generation_, 3);
  one_.SayCheckpoint(generation_, 2);
  one_.SayCheckpoint(generation_, 77);  // Of a round that nobody can know.
  SeatedWorker late = Late();
  HearAll(late);
  EXPECT_EQ(late.LastBegin().checkpoint_round(), 3u);
  const auto told = late.TakeTold();
  EXPECT_EQ(told.size(), 2 * kParts);
  EXPECT_EQ(told.begin()->first.first, 3u);
}

TEST_F(LoopMessagesTest, ARestartedCoordinatorGoesOnFromTheCheckpoint) {
  Start(false);
  Rounds(0, 5, 10);
  one_.SayCheckpoint(generation_, 3);
  MachineBench next;
  for (const std::string& record : bench_.records) ASSERT_TRUE(next.machine.Restore(record).ok());
  next.machine.Resume(next.now);
  next.Take();
  one_.Resume(next);
  EXPECT_EQ(one_.LastBegin().checkpoint_round(), 3u);
  generation_ = one_.LastBegin().generation();
  Rounds(3, 4, 10);
  EXPECT_EQ(one_.TakeTold().size(), kParts) << "round 3 is whole";
}

TEST_F(LoopMessagesTest, ACheckpointThatCannotBeReadBeginsAnotherGenerationAtTheStart) {
  Start(false);
  Rounds(0, 5, 10);
  one_.SayCheckpoint(generation_, 3);
  SeatedWorker late = Late();
  late.SayCheckpoint(generation_, 2, true);
  EXPECT_EQ(late.LastBegin().checkpoint_round(), 3u) << "a newer one is there";
  EXPECT_EQ(late.LastBegin().generation(), generation_);
  late.SayCheckpoint(generation_, 3, true);
  EXPECT_EQ(late.LastBegin().checkpoint_round(), 0u);
  EXPECT_NE(late.LastBegin().generation(), generation_);
}

TEST_F(LoopMessagesTest, ACheckpointThatCannotBeReadEndsAJobOfWhichSeatsHaveEnded) {
  Start(false);
  Rounds(0, 5, 10);
  one_.SayCheckpoint(generation_, 3);
  one_.Commit(one_.Seats().back());
  one_.SayCheckpoint(generation_, 3, true);
  EXPECT_EQ(one_.LastBegin().generation(), generation_) << "nobody would map that seat's parts";
  std::string why;
  for (const std::string& bytes : bench_.records) {
    wire::JournalRecord record;
    ASSERT_TRUE(record.ParseFromString(bytes));
    if (record.has_cancelled()) why = record.cancelled().reason();
  }
  EXPECT_NE(why.find("cannot be read"), std::string::npos) << why;
}

// Found by the simulation: others beside that seat waited for the answer for ever.
TEST_F(LoopMessagesTest, ASeatThatIsNotKnownMayAskForTheOthersOfItsExecutor) {
  Start(false);
  wire::Message message;
  wire::AttemptId unknown = one_.Seats().front();
  unknown.set_attempt(77);
  const auto begins = [&] {
    return std::count_if(one_.heard().begin(), one_.heard().end(),
                         [](const wire::Message& m) { return m.has_loop_begin(); });
  };
  const auto before = begins();
  *message.mutable_loop_contribution()->mutable_seat() = unknown;
  one_.Say(message);
  EXPECT_EQ(begins(), before + 1);
  *message.mutable_loop_checkpoint()->mutable_seat() = unknown;
  message.mutable_loop_checkpoint()->set_generation(generation_);
  message.mutable_loop_checkpoint()->set_round(3);
  message.mutable_loop_checkpoint()->set_unreadable(true);
  one_.Say(message);
  EXPECT_EQ(begins(), before + 2);
}

class RestartedLoopTest : public LoopMessagesTest {
 protected:
  /// A coordinator that goes on from the checkpoint of round 3.
  void Restart() {
    Start(false);
    Rounds(0, 5, 10);
    one_.SayCheckpoint(generation_, 3);
    for (const std::string& record : bench_.records)
      ASSERT_TRUE(next_.machine.Restore(record).ok());
    next_.machine.Resume(next_.now);
    next_.Take();
    one_.Resume(next_);
    generation_ = one_.LastBegin().generation();
  }

  bool IsCancelled() const {
    return std::any_of(next_.records.begin(), next_.records.end(), [](const std::string& bytes) {
      wire::JournalRecord record;
      return record.ParseFromString(bytes) && record.has_cancelled();
    });
  }

  MachineBench next_;
};

// Found by the simulation: the first seat waited for ever for one that had asked for its grant
// before the restart, and takes no part in the rounds that are begun again.
TEST_F(RestartedLoopTest, ASeatThatEndsWhileTheFirstWaitsForItEndsTheJob) {
  Restart();
  one_.Contribute(generation_, 3, 0, "first");
  EXPECT_FALSE(IsCancelled());
  one_.Commit(one_.Seats().back());
  EXPECT_TRUE(IsCancelled());
}

TEST_F(RestartedLoopTest, ASeatThatHasEndedBeforeTheFirstContributesEndsTheJob) {
  Restart();
  one_.Commit(one_.Seats().back());
  EXPECT_FALSE(IsCancelled()) << "the first may have its result";
  one_.Contribute(generation_, 3, 0, "first");
  EXPECT_TRUE(IsCancelled());
}

}  // namespace
}  // namespace spillway
