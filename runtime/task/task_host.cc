#include "runtime/task/task_host.h"

#include "mapreduce/base/check.h"

namespace spillway {

TaskHost::TaskHost(const JobContext& job, const TaskIdentity& identity, AttemptControl& control)
    : job_(job),
      identity_(identity),
      control_(control),
      slot_(identity.kind[0] == 'c' ? nullptr : control.slot()),
      task_(slot_ == nullptr ? &own_task_ : &slot_->plugin_task) {
  *task_ = {};
  task_->struct_bytes = sizeof *task_;
  task_->task_index = identity.index;
  task_->attempt = identity.attempt;
  task_->partition_count = job.partitions;
  task_->host = this;
  task_->job_name = job.abi().name;
  task_->job = &job.abi();
  task_->args = job.plugin->args();
  task_->arg_count = job.plugin->arg_count();
  task_->counter = [](void* host, const char* group, const char* name) {
    return &Self(host).counters_[{group, name}];
  };
  task_->set_status = [](void* host, const char* text, std::size_t bytes) {
    Self(host).control_.AddProgress();
    Self(host).control_.set_status({text, bytes});
  };
  task_->fail = [](void* host, std::int32_t code, const char* text, std::size_t bytes) {
    const bool known = code > 0 && code <= static_cast<std::int32_t>(Code::kInternal);
    Self(host).Keep({known ? static_cast<Code>(code) : Code::kUserCode, {text, bytes}});
  };
  task_->side_file = [](void* host, const char* name) -> const char* {
    const auto& files = Self(host).job_.side_files;
    const auto found = files.find(name);
    return found == files.end() ? nullptr : found->second.c_str();
  };
  task_->input_path = [](void* host, std::uint32_t file_index) -> const char* {
    return Self(host).InputPath(file_index);
  };
  task_->collect = [](void* host, const spillway_record* records, std::size_t count) {
    const CrashScope host_code(nullptr);
    TaskHost& self = Self(host);
    self.control_.AddProgress();
    if (self.control_.cancelled()) return self.Keep(Cancelled("the attempt was stopped"));
    if (!self.collect_) return self.Keep(InternalError("nothing collects in this task"));
    return self.Keep(self.collect_({records, count}));
  };
  task_->next_groups = [](void* host, spillway_groups* groups) {
    return Self(host).NextGroups(groups);
  };
  task_->write = [](void* host, const char* data, std::size_t bytes) {
    const CrashScope host_code(nullptr);
    TaskHost& self = Self(host);
    self.control_.AddProgress();
    if (self.control_.cancelled()) return self.Keep(Cancelled("the attempt was stopped"));
    if (!self.write_) return self.Keep(InternalError("nothing is written by this task"));
    return self.Keep(self.write_({data, bytes}));
  };
  task_->write_to = [](void* host, const char* directory, std::size_t directory_bytes,
                       const char* data, std::size_t bytes, std::uint64_t records) {
    const CrashScope host_code(nullptr);
    TaskHost& self = Self(host);
    self.control_.AddProgress();
    if (self.control_.cancelled()) return self.Keep(Cancelled("the attempt was stopped"));
    if (!self.write_to_)
      return self.Keep(UserCodeError("a " + std::string(self.identity_.kind) +
                                     " task of this job has no named outputs"));
    return self.Keep(self.write_to_({directory, directory_bytes}, {data, bytes}, records));
  };
  scene_.task = task_;
  scene_.kind = identity.kind;
  if (identity.kind[0] == 'c') {
    scene_.user_class = "the combiner";
    return;
  }
  scene_.user_class = identity.kind[0] == 'm' || job.abi().reducer_name == nullptr
                          ? job.abi().mapper_name
                          : job.abi().reducer_name;
  if (slot_ != nullptr) slot_->ShowClass(scene_.user_class);
}

const char* TaskHost::InputPath(std::uint32_t file_index) const {
  if (file_index < job_.input_names.size()) return job_.input_names[file_index].c_str();
  if (ranges_ == nullptr) return nullptr;
  for (const SplitRange& range : *ranges_)
    if (range.file_index == file_index) return range.shown().c_str();
  return nullptr;
}

int TaskHost::Keep(Status status) {
  if (status.ok()) return 0;
  if (failure_.ok()) failure_ = std::move(status);
  return 1;
}

int TaskHost::NextGroups(spillway_groups* out) {
  const CrashScope host_code(nullptr);
  control_.AddProgress();
  if (control_.cancelled()) return Keep(Cancelled("the attempt was stopped"));
  if (groups_ == nullptr) return Keep(InternalError("this task has no groups"));
  Result<GroupBatch> batch = groups_->Next();
  if (!batch.ok()) return Keep(batch.status());
  out->struct_bytes = sizeof *out;
  out->records = batch->records.data();
  out->record_count = static_cast<std::uint32_t>(batch->records.size());
  out->groups = batch->groups.data();
  out->group_count = static_cast<std::uint32_t>(batch->groups.size());
  scene_.groups = *out;
  if (slot_ != nullptr && out->record_count > 0)
    slot_->ShowBatch(out->records[0].key, out->records[0].key_bytes);
  return 0;
}

Status TaskHost::Outcome(int answer) {
  if (!failure_.ok()) return failure_;
  if (answer == 0) return OkStatus();
  return UserCodeError("the plugin gave up without saying why");
}

void TaskHost::AddCounters(const CounterValues& more) {
  for (const auto& [group, names] : more)
    for (const auto& [name, value] : names) counters_[{group, name}] += value;
}

CounterValues TaskHost::counters() const {
  CounterValues values;
  for (const auto& [name, value] : counters_) values[name.first][name.second] = value;
  return values;
}

}  // namespace spillway
