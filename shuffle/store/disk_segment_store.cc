#include "shuffle/store/disk_segment_store.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <utility>

#include "mapreduce/base/check.h"
#include "shuffle/store/kill_point.h"
#include "shuffle/store/released_ranges.h"

namespace spillway {
namespace {

/// Directories whose room differs by less take turns.
constexpr double kEqualRoomFraction = 1.0 / 64;

// Space is given back in whole cells: punching a hole costs a system call, and part of a page
// would be overwritten with zeros instead of being freed.
constexpr std::uint64_t kReleaseCellBytes = 1 << 20;

std::uint64_t CellBegin(std::uint64_t offset) {
  return offset / kReleaseCellBytes * kReleaseCellBytes;
}
std::uint64_t CellEnd(std::uint64_t offset) { return CellBegin(offset + kReleaseCellBytes - 1); }

std::string FileName(const SegmentId& id) {
  char name[80];
  std::snprintf(name, sizeof name, "job-%" PRIu64 "-map-%" PRIu32 "-attempt-%" PRIu32 ".segment",
                id.job, id.map_task, id.attempt);
  return name;
}

class DiskSegment final : public SegmentBytes {
 public:
  DiskSegment(std::string path, std::uint64_t size, std::shared_ptr<OpenFileCache> open_files)
      : path_(std::move(path)), size_(size), open_files_(std::move(open_files)) {}

  std::uint64_t size() const override { return size_; }

  Result<std::string_view> ReadAt(std::uint64_t offset, std::uint64_t bytes,
                                  char* scratch) const override {
    SPILLWAY_ASSIGN_OR_RETURN(const auto file, open_files_->Get(path_));
    SPILLWAY_ASSIGN_OR_RETURN(const std::uint64_t read, file->ReadAt(offset, bytes, scratch));
    if (read < bytes)
      return DataLoss(path_ + ": ends at offset " + std::to_string(offset + read) + ", where " +
                      std::to_string(bytes - read) +
                      " bytes more should be; the map task must run again");
    return std::string_view(scratch, bytes);
  }

  void Release(std::uint64_t offset, std::uint64_t bytes) override {
    if (bytes == 0 || offset >= size_) return;
    const std::uint64_t end = offset + std::min(bytes, size_ - offset);
    std::uint64_t hole_begin, hole_end;
    {
      // Cells that this range completed lie beside it: all others were complete before.
      std::lock_guard lock(mutex_);
      const auto range = released_.Add(offset, end);
      hole_begin = std::max(CellBegin(offset), CellEnd(range.begin));
      hole_end = std::min(CellEnd(end), CellBegin(range.end));
    }
    if (hole_begin >= hole_end) return;
    const auto file = open_files_->Get(path_);
    if (file.ok()) (*file)->Release(hole_begin, hole_end - hole_begin);
  }

  std::string name() const override { return path_; }

 private:
  const std::string path_;
  const std::uint64_t size_;
  const std::shared_ptr<OpenFileCache> open_files_;
  std::mutex mutex_;
  ReleasedRanges released_;  // Guarded by mutex_.
};

}  // namespace

class DiskSegmentStore::File final : public SegmentFile {
 public:
  File(DiskSegmentStore& store, std::size_t directory, const SegmentId& id, std::string path,
       std::unique_ptr<WritableFile> out)
      : store_(store),
        directory_(directory),
        id_(id),
        path_(std::move(path)),
        out_(std::move(out)) {}

  ~File() override {
    store_.EndWriter(directory_);
    if (committed_) return;
    out_.reset();
    // What cannot be removed now goes with the scratch directory.
    (void)store_.files_.Remove(path_);
  }

  Status Append(std::string_view bytes) override {
    SPILLWAY_CHECK(out_ != nullptr);
    const Status status = out_->Append(bytes);
    if (!status.ok()) {
      store_.SetAside(directory_);
      return ScratchFailure(status).Annotate("segment of map task " + std::to_string(id_.map_task));
    }
    KillPoint("segment-written");
    size_ += bytes.size();
    store_.spilled_bytes_.fetch_add(bytes.size(), std::memory_order_relaxed);
    return OkStatus();
  }

  std::uint64_t size() const override { return size_; }
  bool on_disk() const override { return true; }

  Status Commit() override {
    SPILLWAY_CHECK(out_ != nullptr);
    const Status closed = out_->Close();
    out_.reset();
    if (!closed.ok()) {
      store_.SetAside(directory_);
      return ScratchFailure(closed);
    }
    KillPoint("segment-closed");
    SPILLWAY_RETURN_IF_ERROR(ScratchFailure(store_.Publish(path_, id_, directory_)));
    committed_ = true;
    KillPoint("segment-published");
    return OkStatus();
  }

 private:
  DiskSegmentStore& store_;
  const std::size_t directory_;
  const SegmentId id_;
  const std::string path_;
  std::unique_ptr<WritableFile> out_;
  std::uint64_t size_ = 0;
  bool committed_ = false;
};

DiskSegmentStore::DiskSegmentStore(FileSystem& files, const DiskSegmentStoreOptions& options)
    : files_(files), open_files_(std::make_shared<OpenFileCache>(files, options.open_files_max)) {
  SPILLWAY_CHECK(!options.directories.empty());
  for (const std::string& path : options.directories) directories_.push_back({.path = path});
}

DiskSegmentStore::~DiskSegmentStore() = default;

Result<std::unique_ptr<SegmentFile>> DiskSegmentStore::Create(const SegmentId& id) {
  Status failure;
  for (const std::size_t directory : DirectoriesByRoom(id)) {
    auto created = CreateIn(directory, id);
    if (created.ok()) return created;
    SetAside(directory);
    failure = created.status();
  }
  return ScratchFailure(failure).Annotate("no spill directory takes a segment; the last one tried");
}

// The best first: those that did not fail, then those that did, each by free space per writer.
// Directories of one file system and equal empty disks have the same; they take turns. Each job has
// a store of its own, so the first turn is by its number: small jobs spread, too.
std::vector<std::size_t> DiskSegmentStore::DirectoriesByRoom(const SegmentId& id) {
  struct Candidate {
    bool set_aside;
    double room_bytes;
    std::uint64_t used;
    std::size_t turn;
    std::size_t index;
  };
  const std::size_t count = directories_.size();
  std::vector<Candidate> candidates;
  double most_bytes = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto free_bytes = files_.FreeBytes(directories_[i].path);
    std::lock_guard lock(mutex_);
    const Directory& d = directories_[i];
    const double room_bytes =
        free_bytes.ok() ? static_cast<double>(*free_bytes) / (1.0 + d.writers) : -1.0;
    candidates.push_back({d.set_aside, room_bytes, d.used, (i + id.job) % count, i});
    if (!d.set_aside) most_bytes = std::max(most_bytes, room_bytes);
  }
  for (Candidate& c : candidates)
    if (c.room_bytes >= most_bytes * (1 - kEqualRoomFraction)) c.room_bytes = most_bytes;
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    if (a.set_aside != b.set_aside) return b.set_aside;
    if (a.room_bytes != b.room_bytes) return a.room_bytes > b.room_bytes;
    if (a.used != b.used) return a.used < b.used;
    return a.turn < b.turn;
  });
  std::vector<std::size_t> order;
  for (const Candidate& c : candidates) order.push_back(c.index);
  return order;
}

Result<std::unique_ptr<SegmentFile>> DiskSegmentStore::CreateIn(std::size_t directory,
                                                                const SegmentId& id) {
  // Another process of this run may use the same numbers for an attempt of its own.
  constexpr int kNameTriesMax = 100;
  for (int tries = 1;; ++tries) {
    const std::string path =
        PathOf(directory, id) + "." + std::to_string(next_serial_.fetch_add(1)) + ".tmp";
    auto out = files_.Create(path);
    if (out.status().code() == Code::kAlreadyExists && tries < kNameTriesMax) continue;
    if (!out.ok()) return out.status();
    KillPoint("segment-created");
    {
      std::lock_guard lock(mutex_);
      ++directories_[directory].writers;
      directories_[directory].used = ++begun_;
    }
    return std::unique_ptr<SegmentFile>(
        std::make_unique<File>(*this, directory, id, path, std::move(*out)));
  }
}

void DiskSegmentStore::SetAside(std::size_t directory) {
  std::lock_guard lock(mutex_);
  directories_[directory].set_aside = true;
  const bool all = std::all_of(directories_.begin(), directories_.end(),
                               [](const Directory& d) { return d.set_aside; });
  // All have failed: space may have been freed since, so each gets another chance.
  if (all)
    for (Directory& d : directories_) d.set_aside = false;
}

void DiskSegmentStore::EndWriter(std::size_t directory) {
  std::lock_guard lock(mutex_);
  --directories_[directory].writers;
}

Status DiskSegmentStore::Publish(const std::string& from, const SegmentId& id,
                                 std::size_t directory) {
  std::lock_guard lock(commit_mutex_);
  for (std::size_t i = 0; i < directories_.size(); ++i)
    if (files_.Stat(PathOf(i, id)).ok()) return files_.Remove(from);
  const Status renamed = files_.RenameNoReplace(from, PathOf(directory, id));
  return renamed.code() == Code::kAlreadyExists ? files_.Remove(from) : renamed;
}

Result<std::shared_ptr<SegmentBytes>> DiskSegmentStore::Open(const SegmentId& id) {
  for (std::size_t i = 0; i < directories_.size(); ++i) {
    std::string path = PathOf(i, id);
    const auto info = files_.Stat(path);
    if (!info.ok() && info.status().code() != Code::kNotFound) return info.status();
    if (info.ok())
      return std::shared_ptr<SegmentBytes>(
          std::make_shared<DiskSegment>(std::move(path), info->bytes, open_files_));
  }
  return NotFound("no segment " + FileName(id) + " in " + directories_.front().path +
                  (directories_.size() > 1 ? " or another spill directory" : "") +
                  "; the map task must run again");
}

Status DiskSegmentStore::Discard(const SegmentId& id) {
  for (std::size_t i = 0; i < directories_.size(); ++i) {
    const std::string path = PathOf(i, id);
    open_files_->Forget(path);
    const Status removed = files_.Remove(path);
    if (!removed.ok() && removed.code() != Code::kNotFound) return removed;
  }
  return OkStatus();
}

std::string DiskSegmentStore::PathOf(std::size_t directory, const SegmentId& id) const {
  return directories_[directory].path + "/" + FileName(id);
}

}  // namespace spillway
