#include "runtime/local/local_job.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "runtime/local/job_report.h"
#include "runtime/local/job_spec.h"
#include "runtime/local/range_choice.h"
#include "runtime/protocol/frame.h"
#include "runtime/protocol/wire_values.h"
#include "runtime/storage/machine.h"
#include "runtime/storage/system_clock.h"
#include "shuffle/store/memory_budget.h"

namespace spillway {

namespace {

constexpr const char* kWorkerPeer = "worker";
constexpr const char* kClientPeer = "client";
constexpr std::uint64_t kWaitMsMax = 50;  ///< Between looks at cancel requests.
constexpr std::uint64_t kStopTimeoutMs = 4'000;
constexpr std::uint64_t kPieceBytes = 512 << 10;

CoordinatorMachineOptions MachineOptions() {
  CoordinatorMachineOptions options;
  options.scheduler = {.stop_timeout_ms = kStopTimeoutMs + 1'000};  // No leases in one process.
  options.authenticated = false;
  return options;
}

}  // namespace

LocalJob::LocalJob(std::shared_ptr<const PreparedJob> job,
                   const std::atomic<bool>& cancel_requested)
    : job_(std::move(job)),
      cancel_requested_(cancel_requested),
      start_unix_ms_(SystemUnixMs()),
      executor_(std::make_shared<LocalExecutor>(job_)) {
  progress_.maps_total = static_cast<std::uint32_t>(job_->maps.size());
  progress_.reduces_total = job_->map_only() ? 0 : job_->parts;
  progress_.input_bytes_total = job_->plan.input_bytes;
}

LocalJob::~LocalJob() = default;

TimeMs LocalJob::Now() const {
  using namespace std::chrono;
  return start_unix_ms_ +
         static_cast<TimeMs>(duration_cast<milliseconds>(steady_clock::now() - start_).count());
}

JobReport LocalJob::Run() {
  failure_ = Prepare();
  if (failure_.ok()) Loop();
  JobReport report = Report();
  if (opened_.has_value() && !report.status.ok()) {
    opened_->kind = OutputOrder::Kind::kDrop;
    outputs_.Do(*opened_);
  }
  executor_->Close();
  report.total_ms = Now() - start_unix_ms_;
  const std::lock_guard lock(progress_mutex_);
  progress_.phase = JobProgress::Phase::kDone;
  return report;
}

Status LocalJob::Prepare() {
  // The process id makes the job's number, and so its id, its own among those of this host.
  const auto number = static_cast<JobId>(::getpid());
  job_id_ = MakeJobId(number, start_unix_ms_);
  SPILLWAY_RETURN_IF_ERROR(executor_->Open(job_id_));
  MemoryBudget spare(job_->memory.segment_bytes);
  SPILLWAY_ASSIGN_OR_RETURN(auto cuts, ChooseRangeCuts(*job_, files_, spare, cancel_requested_));
  SubmissionOptions submission;
  submission.allow_nondeterminism = job_->request.allow_nondeterminism;
  submission.speculate = false;
  submission.in_this_process = true;
  SPILLWAY_ASSIGN_OR_RETURN(const wire::JobSpec spec,
                            MakeJobSpec(*job_, std::move(cuts), submission));
  coordinator_ = std::make_unique<CoordinatorMachine>(MachineOptions(), FetchSecrets());
  coordinator_->ReserveJobNumbers(number - 1);
  wire::Register details;
  details.set_incarnation(1);
  details.set_name("local");
  details.set_host("localhost");
  details.set_slots(job_->memory.threads);
  link_ = std::make_unique<WorkerLink>(details, [] { return std::vector<AttemptId>(); });
  Exchange();
  Submit(spec);
  return failure_;
}

void LocalJob::Submit(const wire::JobSpec& spec) {
  const std::string bytes = spec.SerializeAsString();
  for (std::uint64_t offset = 0; offset < bytes.size(); offset += kPieceBytes) {
    wire::Request request;
    request.mutable_submit()->set_upload(1);
    request.mutable_submit()->set_offset(offset);
    request.mutable_submit()->set_total_bytes(bytes.size());
    request.mutable_submit()->set_bytes(bytes.substr(offset, kPieceBytes));
    ToCoordinator(request);
  }
  Exchange();
}

void LocalJob::Loop() {
  while (!ended()) {
    std::uint64_t wait = kWaitMsMax;
    const TimeMs now = Now();
    for (const auto due : {coordinator_->next_tick_ms(), link_->due_ms()})
      if (due.has_value()) wait = std::min<std::uint64_t>(wait, *due > now ? *due - now : 0);
    for (const wire::Message& message : executor_->Take(wait)) link_->Post(message);
    const auto tick = coordinator_->next_tick_ms();
    if (tick.has_value() && *tick <= Now()) coordinator_->Tick(Now());
    if (Now() >= last_look_ms_ + kWaitMsMax) LookAround();
    Exchange();
  }
}

void LocalJob::Exchange() {
  for (bool said = true; said;) {
    said = false;
    while (auto frame = link_->NextFrame(Now())) {
      coordinator_->OnFrame(kWorkerPeer, Role::kNone, *frame, Now());
      said = true;
    }
    const Effects effects = coordinator_->TakeEffects(Now());
    for (const SendFrame& send : effects.frames) {
      if (send.peer == kClientPeer) {
        OnReply(send.frame);
        continue;
      }
      for (const wire::Message& message : link_->OnFrame(send.frame, Now()).messages)
        executor_->Handle(message);
      said = true;
    }
    for (const OutputOrder& order : effects.outputs) CarryOut(order);
    said = said || !effects.outputs.empty();
  }
}

void LocalJob::ToCoordinator(const wire::Request& request) {
  wire::Message message;
  *message.mutable_request() = request;
  coordinator_->OnFrame(kClientPeer, Role::kNone, LoneFrame(message), Now());
}

void LocalJob::OnReply(const std::string& bytes) {
  const auto frame = ParseFrame(bytes);
  if (!frame.ok() || frame->messages_size() == 0) return;
  const auto message = ParseMessage(frame->messages(0));
  if (!message.ok()) return;
  const wire::Reply& reply = message->reply();
  if (reply.has_status()) failure_ = FromWire(reply.status());
  if (reply.has_job()) state_ = reply.job();
  if (reply.has_submitted()) job_id_ = reply.submitted().job_id();
  if (ended() || !(reply.has_submitted() || reply.has_job())) return;
  // Answered when the job has ended, or after the longest wait.
  wire::Request request;
  request.mutable_job()->set_job_id(job_id_);
  request.mutable_job()->set_wait_ms(UINT64_MAX);
  ToCoordinator(request);
}

/// On this thread: nobody else waits.
void LocalJob::CarryOut(const OutputOrder& order) {
  if (order.kind == OutputOrder::Kind::kDrop)
    return;  // Run does it, when no attempt writes any more.
  const OutputDone done = outputs_.Do(order);
  if (order.kind == OutputOrder::Kind::kOpen && done.status.ok()) {
    opened_ = order;
    opened_->staging_dir = done.staging_dir;
  }
  coordinator_->OnOutputDone(done.order, done.status, done.staging_dir, Now());
}

/// What is looked at from time to time: hangs, progress, cancel requests.
void LocalJob::LookAround() {
  last_look_ms_ = Now();
  executor_->Tick();
  wire::Message message;
  *message.mutable_progress() = executor_->Progress();
  if (message.progress().moved_size() > 0) link_->Post(message);
  if (cancel_requested_ && !cancel_sent_) {
    cancel_sent_ = true;
    wire::Request request;
    request.mutable_kill()->set_job_id(job_id_);
    request.mutable_kill()->set_reason("interrupted");
    ToCoordinator(request);
  }
  // A thread cannot be killed. When all are lost in user code, nothing will ever run again.
  if (executor_->stuck() >= job_->memory.threads)
    failure_ = UserCodeError(
        "all threads hang in the job's own code, which made no progress for --timeout: look for an "
        "endless loop, or for a command that neither reads nor writes. " +
        executor_->stuck_text() +
        (executor_->stuck() > 1 ? ", and so do " + std::to_string(executor_->stuck() - 1) + " more"
                                : ""));
  JobProgress progress;
  if (const auto state = coordinator_->StateOf(job_id_)) progress = ProgressOf(*state);
  progress.spilled_bytes = executor_->spilled_bytes();
  progress.elapsed_ms = Now() - start_unix_ms_;
  if (job_->is_loop()) {  // All seats are here, and the coordinator is told nothing.
    progress.rounds_max = job_->loop_rounds_max();
    progress.round = std::min(executor_->loop_round(), progress.rounds_max);
  }
  const std::lock_guard lock(progress_mutex_);
  progress_ = progress;
}

JobProgress LocalJob::progress() const {
  const std::lock_guard lock(progress_mutex_);
  return progress_;
}

JobReport LocalJob::Report() const {
  wire::JobState state = state_;
  if (coordinator_ != nullptr)
    if (const auto known = coordinator_->StateOf(job_id_)) state = *known;
  JobReport report = ReportOf(state);
  if (!failure_.ok()) report.status = failure_;
  report.job_id = job_id_;
  report.job_name = job_->plan.job_name;
  report.output_dir = job_->request.output_dir;
  report.maps = static_cast<std::uint32_t>(job_->maps.size());
  report.reduces = job_->map_only() ? 0 : job_->parts;
  report.spilled_bytes = executor_->spilled_bytes();
  report.peak_rss_bytes = PeakResidentBytes();
  report.cpu_seconds = CpuSeconds();
  return report;
}

}  // namespace spillway
