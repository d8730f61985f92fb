#include "runtime/stream/stream_task.h"

#include <unistd.h>

#include <algorithm>
#include <functional>

namespace spillway {
namespace {

constexpr std::size_t kBufferBytes = 256 << 10;

/// What the host refuses it has recorded already; its first failure counts.
Status HostAnswer(int answer) { return answer == 0 ? OkStatus() : Aborted("the host said stop"); }

/// Counts in bytes as long as they cannot overflow: the compiler makes vector code of that, and
/// every byte of a job comes by here twice.
std::uint64_t CountLines(std::string_view bytes) {
  constexpr std::size_t kStep = 255;
  std::uint64_t lines = 0;
  for (std::size_t at = 0; at < bytes.size(); at += kStep) {
    std::uint8_t few = 0;
    for (const char c : bytes.substr(at, kStep)) few = static_cast<std::uint8_t>(few + (c == '\n'));
    lines += few;
  }
  return lines;
}

/// Gives the lines of all groups to `take`, some hundred KiB at once.
Status ForEachPiece(spillway_task* task, const std::function<Status(std::string_view)>& take) {
  std::string buffer;
  buffer.reserve(2 * kBufferBytes);
  spillway_groups groups{};
  groups.struct_bytes = sizeof groups;
  while (true) {
    SPILLWAY_RETURN_IF_ERROR(HostAnswer(task->next_groups(task->host, &groups)));
    if (groups.record_count == 0) break;
    task->records_in += groups.group_count;
    for (std::uint32_t i = 0; i < groups.record_count; ++i) {
      const spillway_record& record = groups.records[i];
      buffer.append(record.key, record.key_bytes);
      if (record.value_bytes != 0) buffer.append(record.value, record.value_bytes);
      buffer += '\n';
      if (buffer.size() < kBufferBytes) continue;
      SPILLWAY_RETURN_IF_ERROR(take(buffer));
      buffer.clear();
    }
  }
  return take(buffer);
}

/// Terminals and logs get text, whatever a command wrote.
std::string Printable(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') c = '?';
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

void WriteToStderr(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(STDERR_FILENO, bytes.data(), bytes.size());
    if (put <= 0) return;  // Nobody listens; the job goes on.
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
}

}  // namespace

StreamTask::StreamTask(spillway_task* task, const StreamOptions& options, StreamRole role)
    : task_(task),
      options_(options),
      role_(role),
      lines_([this](const spillway_record* records, std::size_t count) {
        return Collect(records, count);
      }),
      reporter_({.counter = [this](const std::string& group, const std::string& name,
                                   std::uint64_t amount) { Count(group, name, amount); },
                 .status =
                     [this](std::string_view text) {
                       task_->set_status(task_->host, text.data(), text.size());
                     },
                 .other = WriteToStderr}) {}

const std::string& StreamTask::command() const {
  if (role_ == StreamRole::kMapper) return options_.mapper;
  return role_ == StreamRole::kCombiner ? options_.combiner : options_.reducer;
}

const char* StreamTask::role_name() const {
  if (role_ == StreamRole::kMapper) return "mapper";
  return role_ == StreamRole::kCombiner ? "combiner" : "reducer";
}

Status StreamTask::Start() {
  const bool is_map = role_ != StreamRole::kReducer;
  ChildCommand child;
  child.text = command();
  child.directory = options_.directory;
  // The names by which scripts written for Hadoop know them.
  child.variables = {
      "mapreduce_task_partition=" + std::to_string(task_->task_index),
      std::string("mapreduce_task_ismap=") + (is_map ? "true" : "false"),
      std::string("mapreduce_job_name=") + task_->job_name,
      "mapreduce_job_reduces=" + std::to_string(options_.map_only ? 0 : task_->partition_count)};
  SPILLWAY_ASSIGN_OR_RETURN(pipe_,
                            ChildPipe::Start(
                                child, [this](std::string_view bytes) { return TakeOutput(bytes); },
                                [this](std::string_view bytes) {
                                  reporter_.Add(bytes);
                                  return OkStatus();
                                }));
  return OkStatus();
}

Status StreamTask::FeedBlock(const spillway_block& block) {
  const std::string_view bytes(block.data, block.bytes);
  if (bytes.empty()) return OkStatus();
  task_->records_in += CountLines(bytes);
  SPILLWAY_RETURN_IF_ERROR(pipe_->Write(bytes));
  if (bytes.back() == '\n') return OkStatus();
  ++task_->records_in;
  return pipe_->Write("\n");
}

Status StreamTask::FeedGroups() {
  return ForEachPiece(task_, [this](std::string_view piece) { return pipe_->Write(piece); });
}

Status StreamTask::TakeOutput(std::string_view bytes) {
  if (role_ != StreamRole::kReducer && !options_.map_only) return lines_.Add(bytes);
  task_->records_out += CountLines(bytes);
  return HostAnswer(task_->write(task_->host, bytes.data(), bytes.size()));
}

Status StreamTask::Collect(const spillway_record* records, std::size_t count) {
  return HostAnswer(task_->collect(task_->host, records, count));
}

void StreamTask::Count(const std::string& group, const std::string& name, std::uint64_t amount) {
  *task_->counter(task_->host, group.c_str(), name.c_str()) += amount;
}

Status StreamTask::Finish() {
  SPILLWAY_ASSIGN_OR_RETURN(const int exit_code, pipe_->Finish());
  reporter_.Finish();
  SPILLWAY_RETURN_IF_ERROR(lines_.Finish());
  return exit_code == 0 ? OkStatus() : EndedWith(exit_code);
}

Status StreamTask::EndedWith(int exit_code) const {
  std::string message = std::string("the ") + role_name() + " '" + Printable(command()) + "' ";
  if (exit_code > 128) {
    message += "was ended by signal " + std::to_string(exit_code - 128);
  } else {
    message += "exited with " + std::to_string(exit_code);
  }
  if (exit_code == 127) message += ", so there is no such command";
  if (exit_code == 126) message += ", so it is not executable";
  const std::string tail = Printable(reporter_.tail());
  message += tail.empty() ? "; it wrote nothing to stderr" : ". The end of its stderr:\n" + tail;
  return UserCodeError(message);
}

Status WriteGroups(spillway_task* task) {
  return ForEachPiece(task, [task](std::string_view piece) {
    task->records_out += CountLines(piece);
    return HostAnswer(task->write(task->host, piece.data(), piece.size()));
  });
}

}  // namespace spillway
