#include "runtime/stream/stream_task.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <functional>

namespace spillway {
namespace {

constexpr std::size_t kBufferBytes = 256 << 10;

// What a shell answers for a command that it cannot start.
constexpr int kNotExecutable = 126;
constexpr int kNoSuchCommand = 127;

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

/// The line that a record was made of. For Hadoop's scripts a TAB ends the key, whatever did
/// before.
void AppendLine(const spillway_record& record, const StreamOptions& options, std::string* to) {
  std::string_view key(record.key, record.key_bytes);
  std::string_view rest(record.value, record.value_bytes);
  if (!options.keys.order.empty()) {
    key = rest.substr(0, options.keys.KeyBytes(rest));
    rest.remove_prefix(key.size());
  }
  to->append(key);
  if (options.hadoop) {
    *to += '\t';
    if (!rest.empty()) rest.remove_prefix(1);
  }
  if (!rest.empty()) to->append(rest);
  *to += '\n';
}

/// Gives the lines of all groups to `take`, some hundred KiB at once.
Status ForEachPiece(spillway_task* task, const StreamOptions& options,
                    const std::function<Status(std::string_view)>& take) {
  std::string buffer;
  buffer.reserve(2 * kBufferBytes);
  spillway_groups groups{};
  groups.struct_bytes = sizeof groups;
  while (true) {
    SPILLWAY_RETURN_IF_ERROR(HostAnswer(task->next_groups(task->host, &groups)));
    if (groups.record_count == 0) break;
    task->records_in += groups.group_count;
    for (std::uint32_t i = 0; i < groups.record_count; ++i) {
      AppendLine(groups.records[i], options, &buffer);
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
      lines_(options.keys, [this](const spillway_record* records,
                                  std::size_t count) { return Collect(records, count); }),
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
  if (role_ == StreamRole::kMapper && options_.hadoop) return OkStatus();
  return Launch(nullptr);
}

Status StreamTask::Launch(const spillway_block* first) {
  const bool is_map = role_ != StreamRole::kReducer;
  ChildCommand child;
  child.text = command();
  child.directory = options_.directory;
  if (!options_.side_files.empty()) {
    if (side_directory_ == nullptr) {
      SPILLWAY_ASSIGN_OR_RETURN(side_directory_, SideDirectory::Make(task_, options_.side_files));
    }
    child.directory = side_directory_->path();
  }
  // The names by which scripts written for Hadoop know them.
  child.variables = {
      "mapreduce_task_partition=" + std::to_string(task_->task_index),
      std::string("mapreduce_task_ismap=") + (is_map ? "true" : "false"),
      "mapreduce_job_reduces=" + std::to_string(options_.map_only ? 0 : task_->partition_count)};
  if (first != nullptr)
    for (const char* name : {"mapreduce_map_input_file=", "map_input_file="})
      child.variables.push_back(std::string(name) + first->path);
  child.variables.insert(child.variables.end(), options_.variables.begin(),
                         options_.variables.end());
  child.variables.push_back(std::string("mapreduce_job_name=") + task_->job_name);
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
  if (options_.hadoop && pipe_ != nullptr && block.file_index != file_index_)
    SPILLWAY_RETURN_IF_ERROR(EndRun());
  file_index_ = block.file_index;
  if (options_.offsets || options_.input_tabs || options_.lines_per_run != 0)
    return FeedLines(block);
  if (pipe_ == nullptr) SPILLWAY_RETURN_IF_ERROR(Launch(&block));
  task_->records_in += CountLines(bytes);
  SPILLWAY_RETURN_IF_ERROR(pipe_->Write(bytes));
  if (bytes.back() == '\n') return OkStatus();
  ++task_->records_in;
  return pipe_->Write("\n");
}

/// Line by line, as Hadoop's NLineInputFormat and KeyValueTextInputFormat hand them out.
Status StreamTask::FeedLines(const spillway_block& block) {
  const std::string_view bytes(block.data, block.bytes);
  std::string piece;
  const auto feed = [&]() -> Status {
    if (piece.empty()) return OkStatus();
    const Status written = pipe_->Write(piece);
    piece.clear();
    return written;
  };
  for (std::size_t at = 0; at < bytes.size();) {
    const std::string_view line = bytes.substr(at, bytes.find('\n', at) - at);
    if (pipe_ != nullptr && options_.lines_per_run != 0 && run_lines_ >= options_.lines_per_run) {
      SPILLWAY_RETURN_IF_ERROR(feed());
      SPILLWAY_RETURN_IF_ERROR(EndRun());
    }
    if (pipe_ == nullptr) SPILLWAY_RETURN_IF_ERROR(Launch(&block));
    if (options_.offsets) piece.append(std::to_string(block.file_offset + at)).append("\t");
    piece.append(line);
    if (options_.input_tabs && line.find('\t') == std::string_view::npos) piece += '\t';
    piece += '\n';
    at += line.size() + 1;
    ++run_lines_;
    ++task_->records_in;
    if (piece.size() >= kBufferBytes) SPILLWAY_RETURN_IF_ERROR(feed());
  }
  return feed();
}

Status StreamTask::FeedGroups() {
  return ForEachPiece(task_, options_,
                      [this](std::string_view piece) { return pipe_->Write(piece); });
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
  if (pipe_ == nullptr) SPILLWAY_RETURN_IF_ERROR(Launch(nullptr));
  return EndRun();
}

Status StreamTask::EndRun() {
  SPILLWAY_ASSIGN_OR_RETURN(const int exit_code, pipe_->Finish());
  pipe_.reset();
  run_lines_ = 0;
  reporter_.Finish();
  SPILLWAY_RETURN_IF_ERROR(lines_.Finish());
  return exit_code == 0 ? OkStatus() : EndedWith(exit_code);
}

Status StreamTask::EndedWith(int exit_code) const {
  std::string message = std::string("the ") + role_name() + " '" + Printable(command()) + "' ";
  const int signal = exit_code - 128;  // As shells say it; 255 is what others say of a failure.
  if (signal > 0 && signal <= SIGRTMAX) {
    message += "was ended by signal " + std::to_string(signal);
  } else {
    message += "exited with " + std::to_string(exit_code);
  }
  if (exit_code == kNoSuchCommand)
    message += ", so there is no such command, or not what its first line (#!) names";
  if (exit_code == kNotExecutable) message += ", so it is not executable";
  const std::string tail = Printable(reporter_.tail());
  message += tail.empty() ? "; it wrote nothing to stderr" : ". The end of its stderr:\n" + tail;
  // Another attempt would find the same: these codes fail the job at once.
  if (exit_code == kNoSuchCommand) return NotFound(message);
  if (exit_code == kNotExecutable) return PermissionDenied(message);
  return UserCodeError(message);
}

Status WriteGroups(spillway_task* task, const StreamOptions& options) {
  return ForEachPiece(task, options, [task](std::string_view piece) {
    task->records_out += CountLines(piece);
    return HostAnswer(task->write(task->host, piece.data(), piece.size()));
  });
}

}  // namespace spillway
