#include "bench/cluster/simulated_workers.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "runtime/protocol/wire_values.h"
#include "runtime/storage/part_file.h"
#include "runtime/storage/posix_file_system.h"

namespace spillway {

namespace {

constexpr std::chrono::milliseconds kWait{5};
constexpr std::uint64_t kLookMs = 5;
constexpr std::uint64_t kMapBytes = 128 << 20;
/// Longer than any benchmark: a second Register would spoil the order of the answers.
constexpr std::uint64_t kRegisterRetryMs = 3'600'000;

/// The session of a serialised frame: version (1, varint), session (2, fixed64). 0: of none.
std::uint64_t SessionOf(std::string_view bytes) {
  std::size_t at = 1;
  while (at < bytes.size() && (static_cast<unsigned char>(bytes[at]) & 0x80u) != 0) ++at;
  ++at;
  if (at + 9 > bytes.size() || bytes[at] != 0x11) return 0;
  std::uint64_t session = 0;
  for (int i = 7; i >= 0; --i)
    session =
        session << 8 | static_cast<unsigned char>(bytes[at + 1 + static_cast<std::size_t>(i)]);
  return session;
}

wire::Register DetailsOf(std::uint32_t index, std::uint32_t slots) {
  wire::Register details;
  details.set_incarnation(0x5111'0000'0000ull + index + 1);
  details.set_name("worker-" + std::to_string(index));
  details.set_host("host-" + std::to_string(index));
  details.set_rack("rack-" + std::to_string(index / 40));
  details.set_slots(slots);
  details.set_memory_bytes(std::uint64_t{64} << 30);
  details.set_fetch_endpoint("tcp://10.0.0.1:40000");
  details.add_scratch_dirs("/scratch/worker-" + std::to_string(index));
  details.set_pid(index + 1);
  return details;
}

}  // namespace

struct SimulatedWorkers::Reduce {
  std::vector<bool> has;
  std::uint32_t missing = 0;
};

struct SimulatedWorkers::Worker {
  Worker(std::uint32_t number, std::uint32_t slots)
      : index(number),
        link(DetailsOf(number, slots), [this] { return Attempts(); },
             {.register_retry_ms = kRegisterRetryMs, .channel = {}}) {}

  std::vector<AttemptId> Attempts() const {
    std::vector<AttemptId> ids;
    for (const auto& [id, reduce] : reduces) ids.push_back(id);
    return ids;
  }

  const std::uint32_t index;
  std::uint32_t connection = 0;
  WorkerLink link;
  std::map<AttemptId, Reduce> reduces;
  TimeMs beat_due_ms = 0;
  bool touched = false;
};

SimulatedWorkers::SimulatedWorkers(TransportContext& context,
                                   const SimulatedWorkersOptions& options)
    : context_(context), options_(options) {
  for (std::uint32_t i = 0; i < options_.workers; ++i)
    workers_.push_back(std::make_unique<Worker>(i, options_.slots));
}

SimulatedWorkers::~SimulatedWorkers() = default;

TimeMs SimulatedWorkers::Now() const {
  using namespace std::chrono;
  return static_cast<TimeMs>(
      duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count());
}

Status SimulatedWorkers::Connect(const std::string& endpoint) {
  ClientOptions options;
  options.endpoint = endpoint;
  for (std::uint32_t i = 0; i < options_.connections; ++i) {
    SPILLWAY_ASSIGN_OR_RETURN(auto socket, ClientSocket::Connect(context_, options));
    poller_.Add(*socket);
    connections_.push_back(std::move(socket));
  }
  registering_.resize(options_.connections);
  for (const auto& worker : workers_) {
    worker->connection = worker->index % options_.connections;
    worker->link.RegisterAgain();
    registering_[worker->connection].push_back(worker->index);
    Flush(*worker);
  }
  return OkStatus();
}

void SimulatedWorkers::Disconnect() {
  poller_.Clear();
  connections_.clear();
  registering_.clear();
  by_session_.clear();
  touched_.clear();
  for (const auto& worker : workers_) worker->touched = false;
  registered_ = 0;
}

Status SimulatedWorkers::Turn() {
  for (const std::size_t ready : poller_.Wait(kWait))
    while (auto message = connections_[ready]->Receive())
      SPILLWAY_RETURN_IF_ERROR(OnFrame(static_cast<std::uint32_t>(ready), message->header.view()));
  if (Now() >= look_due_ms_) LookAtTimers();
  for (Worker* worker : std::exchange(touched_, {})) {
    worker->touched = false;
    Flush(*worker);
  }
  return OkStatus();
}

Status SimulatedWorkers::OnFrame(std::uint32_t connection, std::string_view bytes) {
  const std::uint64_t session = SessionOf(bytes);
  std::uint32_t index = 0;
  if (session == 0) {
    if (registering_[connection].empty())
      return InternalError("the coordinator does not know a worker's session any more");
    index = registering_[connection].front();
    registering_[connection].pop_front();
  } else {
    const auto found = by_session_.find(session);
    if (found == by_session_.end()) return OkStatus();
    index = found->second;
  }
  Worker& worker = *workers_[index];
  const WorkerLink::News news = worker.link.OnFrame(bytes, Now());
  if (news.registered.has_value()) {
    if (news.registered->has_refused()) return FromWire(news.registered->refused());
    by_session_[news.registered->session()] = index;
    ++registered_;
    if (news.fresh) worker.reduces.clear();
    worker.beat_due_ms = Now() + index % worker.link.heartbeat_ms();
  }
  for (const wire::Message& message : news.messages)
    SPILLWAY_RETURN_IF_ERROR(OnMessage(worker, message));
  Touch(worker);
  return OkStatus();
}

Status SimulatedWorkers::OnMessage(Worker& worker, const wire::Message& message) {
  switch (message.kind_case()) {
    case wire::Message::kStartJob:
      staging_dirs_[message.start_job().job()] = message.start_job().staging_dir();
      return OkStatus();
    case wire::Message::kStartMap: OnStartMap(worker, message.start_map()); return OkStatus();
    case wire::Message::kStartReduce: {
      Reduce& reduce = worker.reduces[FromWire(message.start_reduce().attempt())];
      reduce.missing = message.start_reduce().maps();
      reduce.has.assign(reduce.missing, false);
      return OkStatus();
    }
    case wire::Message::kSegmentsAvailable: return OnSegments(worker, message.segments_available());
    case wire::Message::kSegmentInvalidated: {
      const auto found = worker.reduces.find(FromWire(message.segment_invalidated().reduce()));
      const std::uint32_t map = message.segment_invalidated().segment().map_task();
      if (found == worker.reduces.end() || !found->second.has[map]) return OkStatus();
      found->second.has[map] = false;
      ++found->second.missing;
      return OkStatus();
    }
    case wire::Message::kStopAttempt: {
      worker.reduces.erase(FromWire(message.stop_attempt().attempt()));
      wire::Message stopped;
      *stopped.mutable_attempt_stopped()->mutable_attempt() = message.stop_attempt().attempt();
      worker.link.Post(stopped);
      return OkStatus();
    }
    case wire::Message::kCommitGrant:
      worker.reduces.erase(FromWire(message.commit_grant().attempt()));
      return OkStatus();
    default: return OkStatus();
  }
}

void SimulatedWorkers::OnStartMap(Worker& worker, const wire::StartMap& start) {
  ++maps_started_;
  wire::Message message;
  wire::MapDone& done = *message.mutable_map_done();
  *done.mutable_attempt() = start.attempt();
  done.set_segment_bytes(kMapBytes / 4);
  done.set_records(1'000'000);
  // Deterministic, as the coordinator compares those of attempts of one task.
  for (std::uint64_t part = 0; part < 4; ++part)
    done.add_partition_hashes((start.attempt().task() + 1) * 0x9E37'79B9'7F4A'7C15ull + part);
  wire::TaskStats& stats = *done.mutable_stats();
  stats.set_input_records(1'000'000);
  stats.set_input_bytes(kMapBytes);
  stats.set_map_output_records(20'000'000);
  stats.set_map_output_bytes(kMapBytes * 2);
  stats.set_segment_records(1'000'000);
  stats.set_spills(1);
  stats.set_spilled_bytes(kMapBytes / 4);
  stats.set_cpu_us(250'000);
  worker.link.Post(message);
}

Status SimulatedWorkers::OnSegments(Worker& worker, const wire::SegmentsAvailable& available) {
  const AttemptId id = FromWire(available.reduce());
  const auto found = worker.reduces.find(id);
  if (found == worker.reduces.end()) return OkStatus();
  Reduce& reduce = found->second;
  if (reduce.missing == 0) return OkStatus();
  for (const wire::SegmentRef& segment : available.segments()) {
    if (reduce.has[segment.map_task()]) continue;
    reduce.has[segment.map_task()] = true;
    --reduce.missing;
  }
  if (reduce.missing > 0) return OkStatus();
  SPILLWAY_RETURN_IF_ERROR(WritePart(id));
  wire::Message message;
  *message.mutable_commit_request()->mutable_attempt() = available.reduce();
  message.mutable_commit_request()->mutable_part();
  message.mutable_commit_request()->mutable_stats()->set_cpu_us(1);
  worker.link.Post(message);
  return OkStatus();
}

Status SimulatedWorkers::WritePart(const AttemptId& id) {
  PosixFileSystem files;
  ++parts_written_;
  SPILLWAY_ASSIGN_OR_RETURN(
      auto part, PartFile::Create(files, staging_dirs_[id.job],
                                  {.part = id.task, .attempt = id.attempt, .durable = false}));
  return part->Finish();
}

void SimulatedWorkers::LookAtTimers() {
  const TimeMs now = Now();
  look_due_ms_ = now + kLookMs;
  for (const auto& worker : workers_) {
    if (!worker->link.registered()) continue;
    if (now >= worker->beat_due_ms) {
      worker->beat_due_ms = now + worker->link.heartbeat_ms();
      if (worker->link.unacknowledged() == 0) {
        wire::Message message;
        message.mutable_heartbeat()->set_resident_bytes(std::uint64_t{8} << 30);
        message.mutable_heartbeat()->set_spill_free_bytes(std::uint64_t{1} << 40);
        worker->link.Post(message);
        Touch(*worker);
      }
    }
    const auto due = worker->link.due_ms();
    if (due.has_value() && *due <= now) Touch(*worker);
  }
}

void SimulatedWorkers::Touch(Worker& worker) {
  if (std::exchange(worker.touched, true)) return;
  touched_.push_back(&worker);
}

void SimulatedWorkers::Flush(Worker& worker) {
  while (const auto frame = worker.link.NextFrame(Now())) {
    TransportMessage message;
    message.header = MessageBuffer::Copy(*frame);
    // What does not get through is said again when it is not acknowledged.
    const Status sent = connections_[worker.connection]->Send(std::move(message));
    static_cast<void>(sent.ok());
  }
}

}  // namespace spillway
