#include "runtime/cli/jobs_command.h"

#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "mapreduce/base/units.h"
#include "runtime/cli/cluster_session.h"
#include "runtime/cli/exit_code.h"
#include "runtime/cli/job_state_text.h"
#include "runtime/cli/option_value.h"
#include "runtime/client/job_wait.h"
#include "runtime/local/job_report.h"
#include "runtime/protocol/wire_values.h"

namespace spillway {
namespace {

constexpr std::uint64_t kListLimitDefault = 50;
constexpr std::uint64_t kWaitMs = 5'000;  ///< A question about a job that runs waits this long.
constexpr std::uint64_t kFollowMs = 1'000;
constexpr std::size_t kLogLineBytesMax = 4'000;

/// A line of the log as text: what it quotes from a job's code must not steer the terminal.
std::string LogText(std::string_view line) {
  std::string text(line.substr(0, kLogLineBytesMax));
  for (char& c : text)
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f) c = '?';
  return text;
}

int ListCommand(const CommandLine& line, const Shell& shell, ClusterSession& session) {
  wire::Request request;
  request.mutable_jobs()->set_all(line.Has("all"));
  const GivenOption* limit = line.Find("limit");
  request.mutable_jobs()->set_limit(static_cast<std::uint32_t>(
      limit == nullptr ? kListLimitDefault : NumberOf(*limit->option, limit->values.back())));
  const auto reply = session.Call(std::move(request));
  if (!reply.ok()) return session.Fail(reply.status());
  shell.out << (line.Has("json") ? JobListJson(reply->jobs()) + "\n"
                                 : JobListText(reply->jobs(), shell.unix_ms()));
  return kExitDone;
}

int StatusCommand(const CommandLine& line, const Shell& shell, ClusterSession& session) {
  wire::Request request;
  request.mutable_job()->set_job_id(line.operands[0]);
  const auto reply = session.Call(std::move(request));
  if (!reply.ok()) return session.Fail(reply.status());
  shell.out << (line.Has("json") ? JobStatusJson(reply->job()) + "\n"
                                 : JobStatusText(reply->job()));
  return kExitDone;
}

int WaitCommand(const CommandLine& line, const Shell& shell, ClusterSession& session) {
  // Known once, it is waited for as long as the user does, whether the coordinator is there or not.
  wire::Request first;
  first.mutable_job()->set_job_id(line.operands[0]);
  const auto known = session.Call(std::move(first));
  if (!known.ok()) return session.Fail(known.status());
  const auto job =
      WaitForJob(session.calls(), line.operands[0], kWaitMs, {.give_up_ms = 0}, nullptr);
  if (!job.ok()) return session.Fail(job.status());
  const Status status = FromWire(job->status());
  if (line.Has("json")) shell.out << JobStatusJson(*job) << "\n";
  if (status.ok()) return kExitDone;
  return ReportError(shell, ExitCodeOf(status), status.message());
}

/// Prints all lines behind `after` that there are, and moves it on.
Status PrintLogs(const CommandLine& line, const Shell& shell, ClusterSession& session,
                 std::uint64_t* after) {
  while (true) {
    wire::Request request;
    request.mutable_logs()->set_job_id(line.operands[0]);
    request.mutable_logs()->set_after(*after);
    SPILLWAY_ASSIGN_OR_RETURN(const wire::Reply reply, session.Call(std::move(request)));
    // Behind what was printed, when a new coordinator began the log anew.
    *after = reply.logs().next();
    if (reply.logs().lines().empty()) return OkStatus();
    for (const std::string& text : reply.logs().lines()) {
      if (line.Has("json")) {
        shell.out << nlohmann::json({{"line", text}})
                         .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
      } else {
        shell.out << LogText(text);
      }
      shell.out << "\n";
    }
    shell.out << std::flush;
  }
}

int LogsCommand(const CommandLine& line, const Shell& shell, ClusterSession& session) {
  std::uint64_t after = 0;
  for (bool first = true;; first = false) {
    // Asked before the lines: what is logged until the end was seen is printed as well.
    bool ended = true;
    if (line.Has("follow")) {
      wire::Request request;
      request.mutable_job()->set_job_id(line.operands[0]);
      request.mutable_job()->set_wait_ms(first ? 0 : kFollowMs);
      CallOptions options = session.bounded();
      options.answer_ms = kFollowMs;
      const auto reply = session.calls().Call(std::move(request), options);
      if (!reply.ok()) return session.Fail(reply.status());
      ended = reply->job().ended();
    }
    const Status status = PrintLogs(line, shell, session, &after);
    if (!status.ok()) return session.Fail(status);
    if (ended) return kExitDone;
  }
}

int KillCommand(const CommandLine& line, const Shell& shell, ClusterSession& session) {
  wire::Request request;
  request.mutable_kill()->set_job_id(line.operands[0]);
  request.mutable_kill()->set_reason(line.Value("reason", "killed by 'spillway jobs kill'"));
  const auto reply = session.Call(std::move(request));
  if (!reply.ok()) return session.Fail(reply.status());
  const auto job = WaitForJob(session.calls(), line.operands[0], kWaitMs, session.bounded(), {});
  if (!job.ok()) return session.Fail(job.status());
  if (line.Has("json")) {
    shell.out << JobStatusJson(*job) << "\n";
  } else {
    shell.err << "spillway: job " + EscapeForLog(job->job_id()) + ": " + JobStateWord(*job) + "\n";
  }
  return kExitDone;
}

}  // namespace

int JobsCommand(const CommandLine& line, const Shell& shell) {
  const std::string_view name = line.command->name;
  if (name != "jobs list" && line.operands.empty())
    return ReportError(shell, kExitUsage,
                       "which job? Write spillway " + std::string(name) +
                           " JOB_ID; 'spillway jobs list' shows the ids.");
  ClusterSession session(line, shell);
  if (!session.status().ok()) return session.Fail(session.status());
  if (name == "jobs list") return ListCommand(line, shell, session);
  if (name == "jobs status") return StatusCommand(line, shell, session);
  if (name == "jobs wait") return WaitCommand(line, shell, session);
  if (name == "jobs logs") return LogsCommand(line, shell, session);
  if (name == "jobs kill") return KillCommand(line, shell, session);
  return ReportError(shell, kExitInternal, "no code for command " + std::string(name));
}

}  // namespace spillway
