// What clients ask for.
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <algorithm>
#include <utility>

#include "mapreduce/base/units.h"
#include "runtime/coordinator/coordinator_machine.h"
#include "runtime/coordinator/journal_records.h"
#include "runtime/protocol/frame.h"
#include "runtime/protocol/wire_values.h"

namespace spillway {

namespace {

constexpr std::uint64_t kWaitMsMax = 60'000;
constexpr std::uint32_t kListedMax = 500;
constexpr std::size_t kPieceBytes = 512 << 10;
constexpr std::size_t kReasonBytesMax = 1'000;
constexpr std::uint64_t kRangesMax = 16'000'000;  // Files, maps and ranges of one job.
constexpr std::size_t kLogBytesMax = 512 << 10;
constexpr std::uint64_t kListBytesMax = 768 << 10;

/// How many inputs, maps and ranges the spec would have once it is parsed: empty ones take two
/// bytes here and fifty in memory.
std::uint64_t CountRanges(std::string_view bytes) {
  using google::protobuf::internal::WireFormatLite;
  google::protobuf::io::CodedInputStream stream(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                                static_cast<int>(bytes.size()));
  std::uint64_t count = 0;
  while (const std::uint32_t tag = stream.ReadTag()) {
    const int field = WireFormatLite::GetTagFieldNumber(tag);
    const bool is_map =
        field == wire::JobSpec::kMapsFieldNumber &&
        WireFormatLite::GetTagWireType(tag) == WireFormatLite::WIRETYPE_LENGTH_DELIMITED;
    if (is_map || field == wire::JobSpec::kInputsFieldNumber) ++count;
    if (!is_map) {
      if (!WireFormatLite::SkipField(&stream, tag)) break;
      continue;
    }
    std::uint32_t length = 0;
    if (!stream.ReadVarint32(&length)) break;
    const auto limit = stream.PushLimit(static_cast<int>(length));
    while (const std::uint32_t inner = stream.ReadTag()) {
      ++count;
      if (!WireFormatLite::SkipField(&stream, inner)) return UINT64_MAX;
    }
    stream.PopLimit(limit);
  }
  return count;
}

/// What a role may ask for. Workers only fetch a job's files.
bool MayAsk(Role role, wire::Request::KindCase kind) {
  switch (kind) {
    case wire::Request::kSubmit:
    case wire::Request::kKill: return role == Role::kSubmitter || role == Role::kCoordinator;
    case wire::Request::kFile: return role == Role::kWorker;
    default: return role == Role::kSubmitter || role == Role::kViewer || role == Role::kCoordinator;
  }
}

}  // namespace

void CoordinatorMachine::Say(const std::string& peer, const wire::Reply& reply) {
  wire::Message message;
  *message.mutable_reply() = reply;
  effects_.frames.push_back({peer, LoneFrame(message)});
}

void CoordinatorMachine::SayNo(const std::string& peer, std::uint64_t request,
                               const Status& status) {
  wire::Reply reply;
  reply.set_id(request);
  *reply.mutable_status() = ToWire(status);
  Say(peer, reply);
}

JobEntry* CoordinatorMachine::FindJob(const std::string& job_id) {
  const auto found = job_numbers_.find(job_id);
  return found == job_numbers_.end() ? nullptr : Job(found->second);
}

void CoordinatorMachine::OnRequest(const std::string& peer, Role role,
                                   const wire::Request& request) {
  if (options_.authenticated && !MayAsk(role, request.kind_case()))
    return SayNo(peer, request.id(),
                 PermissionDenied("a key with the role " + std::string(RoleName(role)) +
                                  " may not do this; ask for a key of role submitter"));
  wire::Reply reply;
  reply.set_id(request.id());
  Status status;
  switch (request.kind_case()) {
    case wire::Request::kSubmit: return OnSubmit(peer, request);
    case wire::Request::kJob: return OnJobQuery(peer, request);
    case wire::Request::kFile: status = OnFile(peer, request); break;
    case wire::Request::kJobs: OnJobList(*reply.mutable_jobs(), request.jobs()); break;
    case wire::Request::kKill: status = OnKill(request.kill()); break;
    case wire::Request::kCluster: *reply.mutable_cluster() = ViewCluster(); break;
    case wire::Request::kLogs: status = OnLogs(request.logs(), *reply.mutable_logs()); break;
    case wire::Request::KIND_NOT_SET:
      status = InvalidArgument("a request that this coordinator does not know; it has version " +
                               ViewCluster().version());
  }
  if (!status.ok()) return SayNo(peer, request.id(), status);
  if (request.kind_case() != wire::Request::kFile) Say(peer, reply);
}

void CoordinatorMachine::OnSubmit(const std::string& peer, const wire::Request& request) {
  wire::Reply reply;
  reply.set_id(request.id());
  if (const auto known = uploads_.Find(request.submit().upload())) {
    JobEntry* const job = Job(*known);
    if (job != nullptr && !job->staged) {
      submitters_.emplace(*known, Waiter{peer, request.id(), 0});
      return;
    }
    reply.mutable_submitted()->set_job(*known);
    if (job != nullptr) reply.mutable_submitted()->set_job_id(job->job_id);
    return Say(peer, reply);
  }
  auto whole = uploads_.Take(request.submit(), now_);
  if (!whole.ok()) return SayNo(peer, request.id(), whole.status());
  if (!whole->has_value()) return Say(peer, reply);
  wire::JobSpec spec;
  if (CountRanges(**whole) > kRangesMax || !spec.ParseFromString(**whole))
    return SayNo(peer, request.id(), InvalidArgument("a job's description that cannot be read"));
  spec.DiscardUnknownFields();  // It goes on to workers.
  Accept(peer, request, std::move(spec));
}

void CoordinatorMachine::Accept(const std::string& peer, const wire::Request& request,
                                wire::JobSpec spec) {
  if (const Status checked = CheckJobSpec(spec); !checked.ok())
    return SayNo(peer, request.id(), checked);
  const auto known = keys_.find(spec.submission_key());
  if (!spec.submission_key().empty() && known != keys_.end()) {
    wire::Reply reply;
    reply.set_id(request.id());
    reply.mutable_submitted()->set_job_id(known->second);
    reply.mutable_submitted()->set_reattached(true);
    if (const JobEntry* job = FindJob(known->second))
      reply.mutable_submitted()->set_job(job->number);
    return Say(peer, reply);
  }
  const JobId number = ++last_job_;
  wire::JournalRecord record;
  wire::JobAccepted& accepted = *record.mutable_accepted();
  accepted.set_job(number);
  accepted.set_job_id(MakeJobId(number, now_));
  accepted.set_submitted_unix_ms(now_);
  *accepted.mutable_spec() = std::move(spec);
  Append(number, record, true);
  JobEntry& job = AddJob(number, accepted.job_id(), std::move(*accepted.mutable_spec()), now_);
  uploads_.Remember(request.submit().upload(), number);
  submitters_.emplace(number, Waiter{peer, request.id(), 0});
  effects_.outputs.push_back(
      {OutputOrder::Kind::kOpen, number, job.ForStaging(options_.owner), "", "", {}});
}

void CoordinatorMachine::OnJobQuery(const std::string& peer, const wire::Request& request) {
  wire::Reply reply;
  reply.set_id(request.id());
  const wire::JobQuery& query = request.job();
  if (const JobEntry* job = FindJob(query.job_id())) {
    if (query.wait_ms() > 0 && waiters_.size() < options_.waiting_clients_max) {
      waiters_.emplace(job->number,
                       Waiter{peer, request.id(), now_ + std::min(query.wait_ms(), kWaitMsMax)});
      return;
    }
  }
  auto state = StateOf(query.job_id());
  if (!state.has_value())
    return SayNo(peer, request.id(),
                 NotFound("there is no job '" + EscapeForLog(query.job_id()) +
                          "' here; 'spillway jobs list --all' shows those that are known"));
  *reply.mutable_job() = *std::move(state);
  Say(peer, reply);
}

void CoordinatorMachine::OnJobList(wire::JobStates& states, const wire::JobList& query) const {
  const std::uint32_t limit = std::min(query.limit() == 0 ? kListedMax : query.limit(), kListedMax);
  std::uint64_t bytes = 0;
  const auto add = [&](wire::JobState state) {
    // A list tells the outlines; the rest is asked for job by job.
    state.clear_log();
    state.clear_warnings();
    state.clear_partition_output_bytes();
    state.mutable_stats()->clear_counters();
    bytes += state.ByteSizeLong();
    if (bytes > kListBytesMax) return false;
    *states.add_jobs() = std::move(state);
    return static_cast<std::uint32_t>(states.jobs_size()) < limit;
  };
  for (auto it = jobs_.rbegin(); it != jobs_.rend(); ++it) {
    const auto view = scheduler_.ViewJob(it->first);
    if (!add(it->second->State(view.has_value() ? &*view : nullptr, now_))) return;
  }
  if (!query.all()) return;
  for (auto it = ended_.rbegin(); it != ended_.rend(); ++it) {
    if (!add(it->second)) return;
  }
}

Status CoordinatorMachine::OnKill(const wire::KillJob& kill) {
  JobEntry* const job = FindJob(kill.job_id());
  if (job == nullptr) {
    if (ended_.contains(kill.job_id())) return OkStatus();  // Over is what was wanted.
    return NotFound("there is no job '" + EscapeForLog(kill.job_id()) + "' here");
  }
  job->killed = true;
  job->kill_reason =
      kill.reason().empty() ? "killed by a user" : kill.reason().substr(0, kReasonBytesMax);
  job->Log("kill: " + job->kill_reason);
  if (!job->staged) {  // OnOutputDone will see it, if need be after a restart.
    wire::JournalRecord record;
    record.mutable_cancelled()->set_job(job->number);
    record.mutable_cancelled()->set_reason(job->kill_reason);
    Append(job->number, record, true);
    return OkStatus();
  }
  Feed(CancelJob{job->number, job->kill_reason});
  return OkStatus();
}

Status CoordinatorMachine::OnLogs(const wire::JobLogs& query, wire::LogLines& lines) const {
  const auto give = [&](const auto& log) {
    std::uint64_t number = query.after();
    std::size_t bytes = 0;
    for (; number < static_cast<std::uint64_t>(log.size()); ++number) {
      const std::string& line = log[static_cast<int>(number)];
      bytes += line.size();
      if (bytes > kLogBytesMax) break;
      lines.add_lines(line);
    }
    lines.set_next(number);
    return OkStatus();
  };
  const auto number = job_numbers_.find(query.job_id());
  if (number != job_numbers_.end()) return give(jobs_.at(number->second)->log);
  const auto ended = ended_.find(query.job_id());
  if (ended != ended_.end()) return give(ended->second.log());
  return NotFound("there is no job '" + EscapeForLog(query.job_id()) + "' here");
}

Status CoordinatorMachine::OnFile(const std::string& peer, const wire::Request& request) {
  const wire::FileChunk& chunk = request.file();
  const JobEntry* const job = Job(chunk.job());
  if (job == nullptr) return NotFound("the job is over");
  if (chunk.name() == kInputNamesFile) {
    wire::Reply reply;
    reply.set_id(request.id());
    const std::uint64_t offset = std::min<std::uint64_t>(chunk.offset(), job->input_names.size());
    reply.mutable_file()->set_bytes(job->input_names.substr(offset, kPieceBytes));
    reply.mutable_file()->set_last(offset + kPieceBytes >= job->input_names.size());
    Say(peer, reply);
    return OkStatus();
  }
  const wire::PinnedFile* file = nullptr;
  if (chunk.name().empty()) file = &job->spec.plugin();
  for (const wire::PinnedFile& side : job->spec.side_files())
    if (side.name() == chunk.name()) file = &side;
  if (file == nullptr || (chunk.name().empty() && !job->spec.has_plugin()))
    return NotFound("the job has no side file '" + EscapeForLog(chunk.name()) + "'");
  effects_.files.push_back({peer, request.id(), file->path(), file->sha256(), chunk.offset()});
  return OkStatus();
}

void CoordinatorMachine::AnswerWaiters(JobEntry& job) {
  const auto [begin, end] = waiters_.equal_range(job.number);
  for (auto it = begin; it != end; ++it) {
    wire::Reply reply;
    reply.set_id(it->second.request);
    *reply.mutable_job() = job.State(nullptr, now_);
    Say(it->second.peer, reply);
  }
  waiters_.erase(begin, end);
}

}  // namespace spillway
