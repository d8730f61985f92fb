#include "runtime/storage/attempt_output.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "mapreduce/base/units.h"
#include "mapreduce/output_path.h"

namespace spillway {

namespace {
/// A file's hash and path, and its places in the tables; names come on top.
constexpr std::uint64_t kDirectoryBytes = 1'280;
}  // namespace

Result<std::unique_ptr<AttemptOutput>> AttemptOutput::Create(FileSystem& files,
                                                             MemoryBudget& budget,
                                                             AttemptOutputOptions options) {
  std::unique_ptr<AttemptOutput> made(new AttemptOutput(files, budget, std::move(options)));
  if (made->options_.has_part) {
    SPILLWAY_ASSIGN_OR_RETURN(made->part_, made->CreateFile(made->options_.file));
  }
  return made;
}

AttemptOutput::~AttemptOutput() {
  if (!finished_) Remove();
  budget_.Release(charged_bytes_);
}

Result<std::unique_ptr<PartFile>> AttemptOutput::CreateFile(const PartFileOptions& options) {
  auto file = PartFile::Create(files_, options_.staging_dir, options);
  if (file.status().code() != Code::kAlreadyExists) return file;
  SPILLWAY_RETURN_IF_ERROR(files_.Remove(PartAttemptPath(
      options_.staging_dir, options.part, options.attempt, options.of_map, options.directory)));
  return PartFile::Create(files_, options_.staging_dir, options);
}

Status AttemptOutput::Append(std::string_view bytes) {
  if (part_ == nullptr) return InternalError("this task has no part of its own");
  return part_->Append(bytes);
}

Status AttemptOutput::AppendTo(std::string_view name, std::string_view bytes,
                               std::uint64_t records) {
  if (last_ == nullptr || last_->name != name) {
    SPILLWAY_ASSIGN_OR_RETURN(last_, Find(name));
  }
  Directory& directory = *last_;
  directory.records += records;
  if (bytes.size() > directory.buffer.size() - directory.buffered_bytes)
    SPILLWAY_RETURN_IF_ERROR(Drain(directory));
  if (bytes.size() > directory.buffer.size()) return directory.file->Append(bytes);
  std::memcpy(directory.buffer.data() + directory.buffered_bytes, bytes.data(), bytes.size());
  directory.buffered_bytes += bytes.size();
  return OkStatus();
}

Result<AttemptOutput::Directory*> AttemptOutput::Find(std::string_view name) {
  last_ = nullptr;
  const auto known = by_name_.find(name);
  if (known == by_name_.end()) return Add(name);
  Directory& directory = *known->second;
  directory.last_use = ++uses_;
  if (!directory.open) SPILLWAY_RETURN_IF_ERROR(Open(directory));
  return &directory;
}

Result<AttemptOutput::Directory*> AttemptOutput::Add(std::string_view name) {
  if (const std::string why = WhyNoOutputPath(name); !why.empty())
    return UserCodeError("'" + EscapeForLog(name) + "' is no directory of an output: " + why);
  if (directories_.size() >= options_.directories_max ||
      names_bytes_ + name.size() > options_.names_bytes_max)
    return UserCodeError("the task writes to more than " + FormatCount(options_.directories_max) +
                         " directories, or their names take more than " +
                         FormatBytes(options_.names_bytes_max) + ", with '" + EscapeForLog(name) +
                         "': part them by a coarser value, or give more reduce tasks");
  SPILLWAY_RETURN_IF_ERROR(MakeRoom());
  auto made = std::make_unique<Directory>();
  made->name = name;
  made->last_use = ++uses_;
  PartFileOptions options = options_.file;
  options.directory = static_cast<std::uint32_t>(directories_.size());
  options.durable_name = false;  // All at once, in Finish.
  SPILLWAY_ASSIGN_OR_RETURN(made->file, CreateFile(options));
  budget_.ReserveForced(kDirectoryBytes + name.size());
  charged_bytes_ += kDirectoryBytes + name.size();
  names_bytes_ += name.size();
  Directory& directory = *directories_.emplace_back(std::move(made));
  by_name_.emplace(directory.name, &directory);
  SPILLWAY_RETURN_IF_ERROR(Open(directory));
  return &directory;
}

/// Closes the file that was not used for longest. Sorted results come to a directory once, so that
/// it is one that is done with.
Status AttemptOutput::MakeRoom() {
  if (open_.size() < std::max(1u, options_.open_directories_max)) return OkStatus();
  const auto oldest = std::min_element(
      open_.begin(), open_.end(),
      [](const Directory* a, const Directory* b) { return a->last_use < b->last_use; });
  Directory& directory = **oldest;
  open_.erase(oldest);
  directory.open = false;
  return Rest(directory);
}

/// With a buffer where there is room for one; else pieces are written as they come.
Status AttemptOutput::Open(Directory& directory) {
  SPILLWAY_RETURN_IF_ERROR(MakeRoom());
  open_.push_back(&directory);
  directory.open = true;
  if (auto buffer = Buffer::Allocate(budget_, kBufferBytes); buffer.ok())
    directory.buffer = std::move(buffer).value();
  return OkStatus();
}

Status AttemptOutput::Drain(Directory& directory) {
  const std::uint64_t bytes = std::exchange(directory.buffered_bytes, 0);
  return bytes == 0 ? OkStatus() : directory.file->Append({directory.buffer.data(), bytes});
}

Status AttemptOutput::Rest(Directory& directory) {
  SPILLWAY_RETURN_IF_ERROR(Drain(directory));
  directory.buffer.Reset();
  return directory.file->Rest();
}

Status AttemptOutput::Finish() {
  for (const auto& directory : directories_) {
    SPILLWAY_RETURN_IF_ERROR(Drain(*directory));
    directory->buffer.Reset();
    SPILLWAY_RETURN_IF_ERROR(directory->file->Finish());
  }
  if (part_ != nullptr) {
    SPILLWAY_RETURN_IF_ERROR(part_->Finish());  // It syncs the names of all.
  } else if (!directories_.empty() && options_.file.durable && options_.file.durable_name) {
    SPILLWAY_RETURN_IF_ERROR(files_.SyncDirectory(options_.staging_dir + "/attempts"));
  }
  finished_ = true;
  return OkStatus();
}

void AttemptOutput::Remove() {
  if (part_ != nullptr) part_->Remove();
  for (const auto& directory : directories_) directory->file->Remove();
}

PartInfo AttemptOutput::info() const {
  PartInfo info;
  if (part_ != nullptr) info = part_->info();
  for (const auto& directory : directories_) {
    const PartInfo file = directory->file->info();
    info.directories.push_back({directory->name, file.bytes, directory->records, file.xxh3});
  }
  return info;
}

}  // namespace spillway
