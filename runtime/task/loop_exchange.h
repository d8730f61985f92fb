// LoopExchange: the rounds of a loop as one process sees them. Seats contribute what their parts
// leave; the coordinator answers, once all parts of the round are there, with all of them; the
// first seat that sees this folds them in the order of parts and makes the next state, on which all
// seats of the process go on. So every process makes the same states by itself, and one that begins
// late makes them of the rounds that it is told: of all of them, of the newest one alone where
// rounds stand alone, or of those after a checkpoint, whose state it reads.
//
// Thread-safe. User code runs in Await and Checkpoint only, on the thread of a seat.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "mapreduce/base/status.h"
#include "runtime/core/attempt_id.h"
#include "runtime/task/job_context.h"
#include "runtime/task/loop_checkpoints.h"
#include "runtime/task/loop_object.h"
#include "runtime/task/task_host.h"

namespace spillway {

/// Where a loop is. Another generation begins at round 0 or at a checkpoint; 0: none.
struct LoopPlace {
  std::uint64_t generation = 0;
  std::uint32_t round = 0;
  bool operator==(const LoopPlace&) const = default;
};

/// What a part leaves for the fold of a round, as the plugin saved it.
struct LoopPart {
  std::uint32_t part = 0;
  std::string bytes;
};

struct LoopContribution {
  AttemptId seat;
  LoopPlace place;
  std::vector<LoopPart> parts;
};

/// The state of a round was written; or that one cannot be read.
struct LoopCheckpointNote {
  AttemptId seat;
  LoopPlace place;
  bool unreadable = false;
};

class LoopExchange {
 public:
  struct Options {
    std::uint32_t parts = 0;
    std::uint32_t rounds_max = 0;  ///< After round 0.
    bool stand_alone = false;      ///< SPILLWAY_LOOP_ROUNDS_STAND_ALONE.
    /// All seats are in this process: no one else needs to know what parts leave.
    bool alone = false;
    std::uint64_t part_bytes_max = 512 << 10;
    std::uint64_t round_bytes_max = 128 << 20;  ///< Of all parts here, unless alone.
    std::uint32_t checkpoint_every = 0;         ///< Rounds; 0: never.
    const LoopCheckpoints* checkpoints = nullptr;
  };
  /// Takes what is for the coordinator. Called by any thread, with nothing locked.
  struct Post {
    std::function<void(const LoopContribution&)> contribution;
    std::function<void(const LoopCheckpointNote&)> checkpoint;
  };

  LoopExchange(const Options& options, Post post);

  // --- From the coordinator.

  /// Forgets everything when the generation is another one; else says again what the seats here
  /// have contributed to the round in progress. `over`: the loop's result is written, and seats
  /// end. `checkpoint`: rounds before this one are not told; its state can be read. 0: none.
  void Begin(std::uint64_t generation, bool over, std::uint32_t checkpoint = 0);
  /// Parts of a round that is complete. Those of other generations and earlier rounds are ignored.
  void Add(const LoopPlace& place, std::vector<LoopPart> parts);

  // --- From seats.

  /// A place with its state, which stays valid as long as it is held.
  struct Turn {
    LoopPlace place;
    std::shared_ptr<const LoopObject> state;  ///< Null in round 0.
    bool ended = false;                       ///< Nothing is left to be mapped: print.
  };
  /// Waits until the loop is elsewhere than at `last`. Steps on by itself, with the user's code,
  /// when a round is complete; its failure is the answer. Cancelled: the attempt was told to stop.
  /// The first seat that comes asks the coordinator where the loop is, by a contribution to
  /// generation 0.
  Result<Turn> Await(const AttemptId& seat, const LoopPlace& last, TaskHost& host,
                     AttemptControl& control);

  /// InvalidArgument: a part, or all parts here, leave too much.
  Status Contribute(LoopContribution contribution);
  /// Writes the turn's state, if one is to be written after its rounds. For the first seat.
  Status Checkpoint(const AttemptId& seat, const Turn& turn, TaskHost& host);
  /// The seat's attempt has ended: nothing of it is said again.
  void Leave(const AttemptId& seat);

  /// Rounds whose times are kept: they go into one message, beside much else.
  static constexpr std::uint32_t kRoundTimesMax = 10'000;

  /// What became of the rounds so far.
  struct History {
    std::uint32_t rounds = 0;   ///< After round 0.
    std::uint32_t resumed = 0;  ///< The round of the checkpoint that was read; 0: none.
    bool converged = false;
    /// Of the first kRoundTimesMax rounds; 0: one that this process has passed over.
    std::vector<std::uint64_t> round_us;
  };
  History history() const;
  /// The one in progress.
  std::uint32_t round() const;

 private:
  using Clock = std::chrono::steady_clock;

  struct RoundParts {
    std::vector<std::string> bytes;  ///< By part.
    std::vector<bool> here;
    std::uint32_t count = 0;
  };
  struct Stepped {
    std::shared_ptr<const LoopObject> state;
    bool converged = false;
  };

  bool IsComplete(std::uint32_t round) const;
  /// The round that the next state is made of, when it is there.
  std::optional<std::uint32_t> NextStep() const;
  bool ReadIsDue() const { return !ended_ && checkpoint_ > place_.round; }
  Status ReadCheckpoint(const AttemptId& seat, std::unique_lock<std::mutex>& lock, TaskHost& host);
  Result<std::shared_ptr<const LoopObject>> ReadState(std::uint32_t round, TaskHost& host) const;
  Status StepOn(std::uint32_t round, std::unique_lock<std::mutex>& lock, TaskHost& host);
  void KeepTime(std::uint32_t round);
  Result<Stepped> Step(std::uint32_t round, const std::shared_ptr<const LoopObject>& state,
                       const std::vector<std::string>& parts, TaskHost& host) const;

  const Options options_;
  const Post post_;

  mutable std::mutex mutex_;
  std::condition_variable moved_;
  LoopPlace place_;  // Guarded by mutex_, like all below.
  std::shared_ptr<const LoopObject> state_;
  bool ended_ = false;
  bool stepping_ = false;
  bool asked_ = false;
  std::uint32_t checkpoint_ = 0;  // Whose state is to be read, if place_ is before it.
  std::map<std::uint32_t, RoundParts> rounds_;  // By round; from place_.round on.
  std::map<AttemptId, std::shared_ptr<const LoopContribution>> contributed_;  // The last of each.
  History history_;
  Clock::time_point round_began_ = Clock::now();
};

}  // namespace spillway
