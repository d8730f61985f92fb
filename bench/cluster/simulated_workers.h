// SimulatedWorkers: thousands of workers in one thread, for benchmarks of the coordinator. Each has
// a registration, a session and heartbeats of its own and speaks through a real WorkerLink; they
// share a few connections. A map that is started is done at once; a reduce asks for its commit when
// it knows a segment of every map, and writes an empty part. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "mapreduce/base/status.h"
#include "runtime/transport/socket.h"
#include "runtime/worker/worker_link.h"

namespace spillway {

struct SimulatedWorkersOptions {
  std::uint32_t workers = 10'000;
  std::uint32_t slots = 4;
  std::uint32_t connections = 16;
};

class SimulatedWorkers {
 public:
  SimulatedWorkers(TransportContext& context, const SimulatedWorkersOptions& options);
  ~SimulatedWorkers();

  /// Connects to a coordinator that starts to listen; all workers register, with what they have.
  Status Connect(const std::string& endpoint);
  /// The coordinator is gone.
  void Disconnect();

  /// Waits for messages for a moment and answers those that came.
  Status Turn();

  std::uint32_t registered() const { return registered_; }
  /// Maps that were started since the beginning.
  std::uint64_t maps_started() const { return maps_started_; }
  std::uint32_t parts_written() const { return parts_written_; }

 private:
  struct Worker;
  struct Reduce;

  Status OnFrame(std::uint32_t connection, std::string_view bytes);
  Status OnMessage(Worker& worker, const wire::Message& message);
  void OnStartMap(Worker& worker, const wire::StartMap& start);
  Status OnSegments(Worker& worker, const wire::SegmentsAvailable& available);
  Status WritePart(const AttemptId& id);
  /// Heartbeats, acknowledgements and repetitions that are due.
  void LookAtTimers();
  void Flush(Worker& worker);
  void Touch(Worker& worker);
  TimeMs Now() const;

  TransportContext& context_;
  const SimulatedWorkersOptions options_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::unique_ptr<ClientSocket>> connections_;
  /// A Registered does not say whom it answers, but a connection keeps the order.
  std::vector<std::deque<std::uint32_t>> registering_;
  std::unordered_map<std::uint64_t, std::uint32_t> by_session_;
  std::vector<Worker*> touched_;
  std::map<JobId, std::string> staging_dirs_;
  Poller poller_;
  TimeMs look_due_ms_ = 0;
  std::uint32_t registered_ = 0;
  std::uint64_t maps_started_ = 0;
  std::uint32_t parts_written_ = 0;
};

}  // namespace spillway
