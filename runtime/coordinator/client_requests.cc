// What clients ask for.
#include <algorithm>
#include <utility>

#include "mapreduce/base/units.h"
#include "runtime/coordinator/coordinator_machine.h"
#include "runtime/coordinator/journal_records.h"
#include "runtime/protocol/field_walk.h"
#include "runtime/protocol/frame.h"
#include "runtime/protocol/wire_values.h"

namespace spillway {

namespace {

constexpr std::uint64_t kWaitMsMax = 60'000;
constexpr std::uint32_t kListedMax = 500;
constexpr std::size_t kPieceBytes = 512 << 10;
constexpr std::size_t kReasonBytesMax = 1'000;
constexpr std::uint64_t kRangesMax = 16'000'000;  // Files, maps and ranges of one job.
constexpr std::uint64_t kListBytesMax = 768 << 10;

/// How many inputs, maps and ranges the spec would have once it is parsed; UINT64_MAX: it is none.
std::uint64_t CountRanges(std::string_view bytes) {
  FieldWalk walk(bytes);
  std::uint64_t count = 0;
  bool well_formed = true;
  walk.ForEach([&](int field) {
    if (field == wire::JobSpec::kInputsFieldNumber) ++count;
    if (field != wire::JobSpec::kMapsFieldNumber) return true;
    ++count;
    well_formed = walk.Inside([&](int) {
      ++count;
      return true;
    });
    return well_formed;
  });
  return well_formed ? count : UINT64_MAX;
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

const JobEntry* CoordinatorMachine::FindJob(const std::string& job_id) const {
  const auto found = job_numbers_.find(job_id);
  return found == job_numbers_.end() ? nullptr : jobs_.at(found->second).get();
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
      if (submitters_.size() >= options_.waiting_clients_max)
        return SayNo(peer, request.id(), Unavailable("too many clients wait here"));
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
  const auto known = JobOfKey(spec.submission_key());
  if (!known.ok()) return SayNo(peer, request.id(), known.status());
  if (known->has_value()) {
    wire::Reply reply;
    reply.set_id(request.id());
    reply.mutable_submitted()->set_job_id(**known);
    reply.mutable_submitted()->set_reattached(true);
    if (const JobEntry* job = FindJob(**known)) reply.mutable_submitted()->set_job(job->number);
    return Say(peer, reply);
  }
  if (const Status free = CheckOutputFree(spec); !free.ok()) return SayNo(peer, request.id(), free);
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

Result<std::optional<std::string>> CoordinatorMachine::JobOfKey(const std::string& key) const {
  const auto known = keys_.find(key);
  if (key.empty() || known == keys_.end()) return std::optional<std::string>();
  const std::string& job_id = known->second;
  const std::optional<std::string> joined = job_id;
  // A key that a client made up for one submission comes again only when its answer was lost.
  if (key.starts_with(kOwnKeyPrefix)) return joined;
  if (const JobEntry* job = FindJob(job_id)) {
    if (!job->killed) return joined;
    return AlreadyExists("job " + job_id +
                         ", which has this submission key, is being killed; wait "
                         "for its end ('spillway jobs wait " +
                         job_id + "') and submit again");
  }
  const auto ended = ended_.find(job_id);
  if (ended != ended_.end() && FromWire(ended->second.status()).ok()) return joined;
  return std::optional<std::string>();
}

Status CoordinatorMachine::CheckOutputFree(const wire::JobSpec& spec) const {
  const auto place = [](std::string_view dir) {
    return dir.substr(0, std::max<std::size_t>(dir.find_last_not_of('/') + 1, 1));
  };
  for (const auto& [number, job] : jobs_)
    if (place(job->spec.output_dir()) == place(spec.output_dir()))
      return AlreadyExists("the output '" + EscapeForLog(spec.output_dir()) + "' is that of job " +
                           job->job_id + ", which is not over; wait for it ('spillway jobs wait " +
                           job->job_id + "'), or choose another --output");
  return OkStatus();
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
    state.clear_partitions();
    state.mutable_stats()->clear_counters();
    state.mutable_stats()->clear_heavy_keys();
    bytes += state.ByteSizeLong();
    if (bytes > kListBytesMax) return false;
    *states.add_jobs() = std::move(state);
    return static_cast<std::uint32_t>(states.jobs_size()) < limit;
  };
  for (auto it = jobs_.rbegin(); it != jobs_.rend(); ++it) {
    auto view = scheduler_.ViewJob(it->first);
    if (view.has_value()) view->partition_bytes = {};  // No list has them.
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
  job->Log(now_, "kill: " + job->kill_reason);
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
  if (const JobEntry* job = FindJob(query.job_id())) {
    job->log.Answer(query.after(), lines);
    return OkStatus();
  }
  const auto ended = ended_.find(query.job_id());
  if (ended != ended_.end()) {
    JobLog::Answer(ended->second, query.after(), lines);
    return OkStatus();
  }
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
