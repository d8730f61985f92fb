// ScratchDirectory: a run's own place for temporary files, <spill-dir>/spillway-<uid>/job-<id>/,
// which only this user may enter and which goes when its owner goes. A marker file names the
// owning process, so that what a killed one left behind can be told from what is in use. Any
// thread; one owner.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "mapreduce/base/status.h"
#include "runtime/storage/unique_fd.h"

namespace spillway {

class ScratchDirectory {
 public:
  static constexpr const char* kMarkerName = "SPILLWAY_SCRATCH";
  /// Runs that may use one job id in one spill directory at the same time.
  static constexpr int kSameJobMax = 1000;

  /// Makes the directory in `spill_dir`, which exists. When a run with the same id is alive, the
  /// name becomes job-<id>.2 and so on. PermissionDenied when spillway-<uid> is a link, belongs to
  /// somebody else or is open to others: it may be a trap.
  static Result<std::unique_ptr<ScratchDirectory>> Create(const std::string& spill_dir,
                                                          const std::string& job_id);

  /// Removes what dead processes of this user left in `spill_dir`, and nothing without our marker.
  /// Directories of other hosts and other containers are theirs to judge. How many were removed;
  /// Ok also when there was none.
  static Result<std::uint32_t> RemoveLeftovers(const std::string& spill_dir);

  /// Removes the directory with all that is in it.
  ~ScratchDirectory();

  const std::string& path() const { return path_; }

 private:
  ScratchDirectory(UniqueFd parent, UniqueFd directory, std::string name, std::string path);

  UniqueFd parent_;
  UniqueFd directory_;
  const std::string name_;
  const std::string path_;
};

}  // namespace spillway
