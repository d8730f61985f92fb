// DiskSegmentStore: segments as files in scratch directories. A segment is written as NAME.tmp and
// renamed when it is committed; nothing is synced, because scratch files do not outlive their run.
// The file system is the truth: the store keeps no list, so that a process of the same run sees
// what another has committed. Thread-safe; a file belongs to one thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "mapreduce/base/file_system.h"
#include "shuffle/store/open_file_cache.h"
#include "shuffle/store/segment_store.h"

namespace spillway {

struct DiskSegmentStoreOptions {
  /// Existing directories, at best on different disks. A segment goes to the one with the most
  /// free space for each segment that is being written there; where that is as good as equal, to
  /// the one that was not used for longest.
  std::vector<std::string> directories;
  /// Segments that are kept open for reading; 0: a quarter of what the process may open.
  std::uint32_t open_files_max = 0;
};

/// What a task makes of a failure to write scratch files. They are this host's affair: but for a
/// full disk, which its policy knows, the task is to run again, elsewhere, whatever the disk said.
inline Status ScratchFailure(const Status& failure) {
  const bool known = failure.ok() || failure.code() == Code::kResourceExhausted;
  return known ? failure : Status(Code::kAborted, failure.message());
}

class DiskSegmentStore final : public SegmentStore {
 public:
  /// `files` outlives the store and its segments.
  DiskSegmentStore(FileSystem& files, const DiskSegmentStoreOptions& options);
  ~DiskSegmentStore() override;

  /// A directory that fails here is passed over. One that fails later fails its segment, and is
  /// passed over by the following ones until every other has failed too.
  Result<std::unique_ptr<SegmentFile>> Create(const SegmentId& id) override;
  Result<std::shared_ptr<SegmentBytes>> Open(const SegmentId& id) override;
  Status Discard(const SegmentId& id) override;
  std::uint64_t spilled_bytes() const override {
    return spilled_bytes_.load(std::memory_order_relaxed);
  }

 private:
  class File;
  struct Directory {
    std::string path;
    std::uint32_t writers = 0;
    std::uint64_t used = 0;  ///< Segments that had been begun when one was begun here; 0: none.
    bool set_aside = false;
  };

  Result<std::unique_ptr<SegmentFile>> CreateIn(std::size_t directory, const SegmentId& id);
  std::vector<std::size_t> DirectoriesByRoom(const SegmentId& id);
  void SetAside(std::size_t directory);
  void EndWriter(std::size_t directory);
  Status Publish(const std::string& from, const SegmentId& id, std::size_t directory);
  std::string PathOf(std::size_t directory, const SegmentId& id) const;

  FileSystem& files_;
  const std::shared_ptr<OpenFileCache> open_files_;
  std::atomic<std::uint64_t> spilled_bytes_{0};
  std::atomic<std::uint64_t> next_serial_{0};
  std::mutex commit_mutex_;  // One commit at a time, so that the first of two stays.
  std::mutex mutex_;
  std::vector<Directory> directories_;  // Paths are constant; the rest is guarded by mutex_.
  std::uint64_t begun_ = 0;             // Guarded by mutex_.
};

}  // namespace spillway
