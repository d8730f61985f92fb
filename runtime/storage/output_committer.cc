#include "runtime/storage/output_committer.h"

#include <cstdio>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "runtime/storage/owner_marker.h"

namespace spillway {

namespace {

constexpr const char* kAttempts = "/attempts";

/// The device is given this much at a time, so that little is left to wait for at the end.
constexpr std::uint64_t kSyncStepBytes = 8 << 20;

struct SplitPath {
  std::string parent, name;
};

/// The path without trailing slashes, cut at its last slash.
SplitPath Split(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {".", path};
  return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

std::string StagingPrefix(const std::string& name) { return "." + name + ".spillway-"; }

/// Removes a directory that carries our marker, and the marker last: a removal that is cut short
/// can be told, and finished, by the next job.
void RemoveMarked(FileSystem& files, const std::string& directory) {
  Status removed;
  if (const auto names = files.List(directory); names.ok()) {
    for (const std::string& name : *names)
      if (name != kOwnerMarkerName && removed.ok())
        removed = files.RemoveTree(directory + "/" + name);
  }
  if (removed.ok()) removed = files.RemoveTree(directory);
  static_cast<void>(removed.ok());  // The next job for this output tries again.
}

/// Staging directories of jobs that died while they wrote this output.
void RemoveLeftovers(FileSystem& files, const SplitPath& output) {
  const auto names = files.List(output.parent);
  if (!names.ok()) return;
  for (const std::string& name : *names) {
    const std::string path = output.parent + "/" + name;
    if (!name.starts_with(StagingPrefix(output.name))) continue;
    if (ReadOwnerMarker(files, path) != Ownership::kDead) continue;
    RemoveMarked(files, path);
  }
}

std::string AttemptPath(const std::string& staging, std::uint32_t part, std::uint32_t attempt) {
  return staging + kAttempts + "/" + PartName(part) + "." + std::to_string(attempt);
}

std::string Hex(std::uint64_t number) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(number));
  return text;
}

}  // namespace

std::string PartName(std::uint32_t part) {
  char name[16];
  std::snprintf(name, sizeof name, "part-%05u", part);
  return name;
}

struct OutputCommitter::Part::Hash {
  Hash() { XXH3_64bits_reset(&state); }
  XXH3_state_t state;
};

OutputCommitter::Part::Part(OutputCommitter& committer, std::string path,
                            std::unique_ptr<WritableFile> file)
    : committer_(committer),
      path_(std::move(path)),
      file_(std::move(file)),
      hash_(std::make_unique<Hash>()) {}

OutputCommitter::Part::~Part() {
  if (finished_) return;
  file_.reset();
  const Status removed = committer_.files_.Remove(path_);
  static_cast<void>(removed.ok());  // The staging directory goes as a whole later.
}

Status OutputCommitter::Part::Append(std::string_view bytes) {
  XXH3_64bits_update(&hash_->state, bytes.data(), bytes.size());
  bytes_ += bytes.size();
  SPILLWAY_RETURN_IF_ERROR(file_->Append(bytes));
  if (committer_.options_.durable && bytes_ >= sync_started_bytes_ + kSyncStepBytes) {
    file_->StartSync();
    sync_started_bytes_ = bytes_;
  }
  return OkStatus();
}

Status OutputCommitter::Part::Finish() {
  if (committer_.options_.durable) SPILLWAY_RETURN_IF_ERROR(file_->Sync());
  SPILLWAY_RETURN_IF_ERROR(file_->Close());
  finished_ = true;
  return OkStatus();
}

PartInfo OutputCommitter::Part::info() const {
  return {bytes_, 0, XXH3_64bits_digest(&hash_->state), false};
}

Result<std::unique_ptr<OutputCommitter>> OutputCommitter::Create(
    FileSystem& files, const OutputCommitterOptions& options) {
  const SplitPath output = Split(options.output_dir);
  const Result<FileInfo> existing = files.Stat(options.output_dir);
  if (existing.ok()) {
    if (!options.overwrite)
      return AlreadyExists("the output '" + options.output_dir +
                           "' exists already; choose another --output, or pass --overwrite to "
                           "replace it when the job has succeeded");
    if (existing->kind != FileKind::kDirectory)
      return AlreadyExists("the output '" + options.output_dir +
                           "' is not a directory and will not be overwritten");
  }
  const Result<FileInfo> parent = files.Stat(output.parent);
  if (!parent.ok())
    return NotFound("the output's parent directory '" + output.parent +
                    "' does not exist; create it first (mkdir -p)");
  RemoveLeftovers(files, output);
  const std::string staging = output.parent + "/" + StagingPrefix(output.name) + options.job_id;
  SPILLWAY_RETURN_IF_ERROR(files.MakeDirectory(staging, 0755).Annotate("staging the output"));
  OutputCommitterOptions kept = options;
  kept.output_dir = output.parent + "/" + output.name;
  std::unique_ptr<OutputCommitter> committer(new OutputCommitter(files, std::move(kept), staging));
  SPILLWAY_RETURN_IF_ERROR(WriteOwnerMarker(files, staging));
  SPILLWAY_RETURN_IF_ERROR(files.MakeDirectory(staging + kAttempts, 0755));
  return committer;
}

OutputCommitter::OutputCommitter(FileSystem& files, OutputCommitterOptions options,
                                 std::string staging)
    : files_(files),
      options_(std::move(options)),
      staging_(std::move(staging)),
      parts_(options_.parts) {}

void OutputCommitter::Discard() {
  if (!job_committed_) RemoveMarked(files_, staging_);
}

Result<std::unique_ptr<OutputCommitter::Part>> OutputCommitter::CreatePart(std::uint32_t part,
                                                                           std::uint32_t attempt) {
  const std::string path = AttemptPath(staging_, part, attempt);
  SPILLWAY_ASSIGN_OR_RETURN(auto file, files_.Create(path));
  return std::unique_ptr<Part>(new Part(*this, path, std::move(file)));
}

Status OutputCommitter::CommitPart(std::uint32_t part, std::uint32_t attempt,
                                   const PartInfo& info) {
  const std::lock_guard lock(mutex_);
  if (parts_[part].committed) return OkStatus();
  SPILLWAY_RETURN_IF_ERROR(files_.RenameNoReplace(AttemptPath(staging_, part, attempt),
                                                  staging_ + "/" + PartName(part)));
  parts_[part] = info;
  parts_[part].committed = true;
  return OkStatus();
}

Status OutputCommitter::WriteFile(const std::string& name, const std::string& text) {
  SPILLWAY_ASSIGN_OR_RETURN(const auto file, files_.Create(staging_ + "/" + name));
  SPILLWAY_RETURN_IF_ERROR(file->Append(text));
  if (options_.durable) SPILLWAY_RETURN_IF_ERROR(file->Sync());
  return file->Close();
}

Status OutputCommitter::CommitJob(const std::string& manifest_head) {
  std::string manifest = "{\n  \"format\": 1,\n" + manifest_head + "  \"parts\": [";
  for (std::uint32_t part = 0; part < parts_.size(); ++part) {
    const PartInfo& info = parts_[part];
    if (!info.committed) return InternalError(PartName(part) + " was never committed");
    manifest += part == 0 ? "\n" : ",\n";
    manifest += "    {\"name\": \"" + PartName(part) +
                "\", \"bytes\": " + std::to_string(info.bytes) +
                ", \"records\": " + std::to_string(info.records) + ", \"xxh3\": \"" +
                Hex(info.xxh3) + "\"}";
  }
  manifest += "\n  ]\n}\n";
  SPILLWAY_RETURN_IF_ERROR(files_.RemoveTree(staging_ + kAttempts));
  SPILLWAY_RETURN_IF_ERROR(WriteFile("_manifest.json", manifest));
  SPILLWAY_RETURN_IF_ERROR(WriteFile("_SUCCESS", ""));
  if (options_.durable) SPILLWAY_RETURN_IF_ERROR(files_.SyncDirectory(staging_));
  return Publish();
}

Status OutputCommitter::Publish() {
  const bool replace = options_.overwrite && files_.Stat(options_.output_dir).ok();
  if (replace) {
    SPILLWAY_RETURN_IF_ERROR(files_.Exchange(staging_, options_.output_dir));
    // What was replaced is now in the staging place, and ours to remove even after a crash.
    const Status marked = WriteOwnerMarker(files_, staging_);
    static_cast<void>(marked.ok());
  } else {
    const Status renamed = files_.RenameNoReplace(staging_, options_.output_dir);
    if (renamed.code() == Code::kAlreadyExists)
      return AlreadyExists("the output '" + options_.output_dir +
                           "' came into being while the job ran; nothing was replaced");
    SPILLWAY_RETURN_IF_ERROR(renamed);
  }
  job_committed_ = true;
  if (options_.durable)
    SPILLWAY_RETURN_IF_ERROR(files_.SyncDirectory(Split(options_.output_dir).parent));
  // The output is visible now; what is left over can only be clean-up, which fails no job.
  const Status unmarked = files_.Remove(options_.output_dir + "/" + kOwnerMarkerName);
  static_cast<void>(unmarked.ok());
  if (replace) RemoveMarked(files_, staging_);
  return OkStatus();
}

}  // namespace spillway
