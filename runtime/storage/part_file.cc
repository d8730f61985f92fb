#include "runtime/storage/part_file.h"

#include <cstdio>

#include "shuffle/store/kill_point.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace spillway {

namespace {

/// The device is given this much at a time, so that little is left to wait for at the end.
constexpr std::uint64_t kSyncStepBytes = 8 << 20;

}  // namespace

std::string PartName(std::uint32_t part, bool of_map) {
  char name[16];
  std::snprintf(name, sizeof name, of_map ? "map-%05u" : "part-%05u", part);
  return name;
}

std::string PartAttemptPath(const std::string& staging_dir, std::uint32_t part,
                            std::uint32_t attempt, bool of_map,
                            std::optional<std::uint32_t> directory) {
  std::string path =
      staging_dir + "/attempts/" + PartName(part, of_map) + "." + std::to_string(attempt);
  if (directory.has_value()) path += "." + std::to_string(*directory);
  return path;
}

struct PartFile::Hash {
  Hash() { XXH3_64bits_reset(&state); }
  XXH3_state_t state;
};

Result<std::unique_ptr<PartFile>> PartFile::Create(FileSystem& files,
                                                   const std::string& staging_dir,
                                                   const PartFileOptions& options) {
  const std::string path = PartAttemptPath(staging_dir, options.part, options.attempt,
                                           options.of_map, options.directory);
  SPILLWAY_ASSIGN_OR_RETURN(auto file, files.Create(path));
  KillPoint("part-created");
  return std::unique_ptr<PartFile>(
      new PartFile(files, staging_dir + "/attempts", path, options, std::move(file)));
}

PartFile::PartFile(FileSystem& files, std::string directory, std::string path,
                   const PartFileOptions& options, std::unique_ptr<WritableFile> file)
    : files_(files),
      directory_(std::move(directory)),
      path_(std::move(path)),
      options_(options),
      file_(std::move(file)),
      hash_(std::make_unique<Hash>()) {}

PartFile::~PartFile() {
  if (!kept_) Remove();
}

void PartFile::Remove() {
  if (removed_) return;
  removed_ = true;
  file_.reset();
  const Status removed = files_.Remove(path_);
  static_cast<void>(removed.ok());  // The staging directory goes as a whole later.
}

Status PartFile::Wake() {
  if (!resting()) return OkStatus();
  SPILLWAY_ASSIGN_OR_RETURN(file_, files_.Reopen(path_));
  return OkStatus();
}

Status PartFile::Rest() {
  if (resting()) return OkStatus();
  if (options_.durable) SPILLWAY_RETURN_IF_ERROR(file_->Sync());
  KillPoint("part-synced");
  sync_started_bytes_ = bytes_;
  const std::unique_ptr<WritableFile> file = std::move(file_);
  SPILLWAY_RETURN_IF_ERROR(file->Close());
  KillPoint("part-closed");
  return OkStatus();
}

Status PartFile::Append(std::string_view bytes) {
  SPILLWAY_RETURN_IF_ERROR(Wake());
  XXH3_64bits_update(&hash_->state, bytes.data(), bytes.size());
  bytes_ += bytes.size();
  SPILLWAY_RETURN_IF_ERROR(file_->Append(bytes));
  KillPoint("part-written");
  if (options_.durable && bytes_ >= sync_started_bytes_ + kSyncStepBytes) {
    file_->StartSync();
    sync_started_bytes_ = bytes_;
  }
  return OkStatus();
}

Status PartFile::Finish() {
  SPILLWAY_RETURN_IF_ERROR(Rest());
  if (options_.durable && options_.durable_name)
    SPILLWAY_RETURN_IF_ERROR(files_.SyncDirectory(directory_));
  KillPoint("part-named");
  kept_ = true;
  return OkStatus();
}

PartInfo PartFile::info() const { return {bytes_, 0, XXH3_64bits_digest(&hash_->state)}; }

}  // namespace spillway
