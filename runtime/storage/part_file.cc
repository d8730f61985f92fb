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

std::string PartName(std::uint32_t part) {
  char name[16];
  std::snprintf(name, sizeof name, "part-%05u", part);
  return name;
}

std::string PartAttemptPath(const std::string& staging_dir, std::uint32_t part,
                            std::uint32_t attempt) {
  return staging_dir + "/attempts/" + PartName(part) + "." + std::to_string(attempt);
}

struct PartFile::Hash {
  Hash() { XXH3_64bits_reset(&state); }
  XXH3_state_t state;
};

Result<std::unique_ptr<PartFile>> PartFile::Create(FileSystem& files,
                                                   const std::string& staging_dir,
                                                   const PartFileOptions& options) {
  const std::string path = PartAttemptPath(staging_dir, options.part, options.attempt);
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

Status PartFile::Append(std::string_view bytes) {
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
  if (options_.durable) SPILLWAY_RETURN_IF_ERROR(file_->Sync());
  KillPoint("part-synced");
  SPILLWAY_RETURN_IF_ERROR(file_->Close());
  KillPoint("part-closed");
  if (options_.durable && options_.durable_name)
    SPILLWAY_RETURN_IF_ERROR(files_.SyncDirectory(directory_));
  KillPoint("part-named");
  kept_ = true;
  return OkStatus();
}

PartInfo PartFile::info() const { return {bytes_, 0, XXH3_64bits_digest(&hash_->state)}; }

}  // namespace spillway
