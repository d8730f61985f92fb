// Coordinator: the machine with its sockets, its journal and the thread for outputs: what
// `spillway coordinator` runs. Open and Run on one thread; Stop from any thread, a signal handler
// included.
//
// One turn of the loop: take the frames that are there (a limited number, so that a flood cannot
// hold up what is due), let the machine decide, commit the journal, then send. When the journal
// cannot be written, or another coordinator has taken over, Run ends: nothing that was not
// journalled is ever seen by others.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mapreduce/base/status.h"
#include "runtime/coordinator/coordinator_machine.h"
#include "runtime/coordinator/duration_histogram.h"
#include "runtime/transport/socket.h"

namespace spillway {

struct CoordinatorEndpoint {
  ServerOptions server;
  Role role_without_keys = Role::kNone;  ///< Of its peers, where it has no keys.
  /// Whether a key that was let in with the role would not be any more; false where that cannot be
  /// told. With keys; asked from time to time, since connections outlive what their keys may do.
  std::function<bool(std::string_view key, Role role)> withdrawn = {};
};

struct CoordinatorSetup {
  /// Served alike. The first is the one that others are told of.
  std::vector<CoordinatorEndpoint> endpoints;
  std::string journal_dir;
  /// No job's output may lie at, in or above these: the journal's, the keys'.
  std::vector<std::string> guarded_dirs;
  CoordinatorMachineOptions machine;
  std::uint32_t frames_per_turn_max = 1'000;
  /// Frames are taken for so long, then what they caused is carried out. What it costs to commit
  /// and to send grows with it.
  std::uint64_t receive_us_max = 1'000;
  /// A line of what happened, for people. Called on Run's thread.
  std::function<void(const std::string& line)> log;
  /// Each wire::JournalRecord just before it is written: for benchmarks, which see here when an
  /// attempt was started and when it was done. Called on Run's thread.
  std::function<void(std::string_view record)> watch;
};

/// What a loop cost; for benchmarks. Read it after Run.
struct CoordinatorStats {
  std::uint64_t frames = 0;
  std::uint64_t records = 0;
  /// From the end of a wait until all that followed from it was sent: the turns.
  DurationHistogram turn_us;
  /// The thread's processor time in the same turns: what they take where nobody else has the core.
  DurationHistogram turn_cpu_us;
};

class Coordinator {
 public:
  /// Takes the journal over, restores what it holds and binds. AlreadyExists: another coordinator
  /// holds the journal. Other errors as ServerSocket::Bind and JobJournal::Open.
  static Result<std::unique_ptr<Coordinator>> Open(TransportContext& context,
                                                   const CoordinatorSetup& setup);
  ~Coordinator();

  /// Where clients and workers connect.
  const std::string& endpoint() const;

  /// Until Stop. A failure is the journal's.
  Status Run();
  void Stop();

  const CoordinatorStats& stats() const;

 private:
  class Loop;
  explicit Coordinator(std::unique_ptr<Loop> loop);
  std::unique_ptr<Loop> loop_;
};

}  // namespace spillway
