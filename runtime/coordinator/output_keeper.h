// OutputKeeper: the thread that touches the jobs' outputs and reads files for workers, so that a
// slow disk does not hold up the coordinator's loop. Orders of one job are carried out in their
// order. Give and Take may be called from any thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "mapreduce/base/file_system.h"
#include "runtime/coordinator/effects.h"
#include "runtime/coordinator/staged_outputs.h"

namespace spillway {

struct FileDone {
  FileOrder order;
  Status status;
  std::string bytes;
  bool last = false;
};

using KeeperDone = std::variant<OutputDone, FileDone>;

class OutputKeeper {
 public:
  static constexpr std::size_t kFileBytesMax = 512 << 10;  ///< Of one piece.
  /// Pieces that wait to be read. Whoever asks for more is told to ask again.
  static constexpr std::size_t kFileOrdersMax = 10'000;

  /// `files` outlives the keeper. `wake` is called, from the keeper's thread, when Take has more.
  /// Outputs at, in or above `guarded_dirs` are refused.
  OutputKeeper(FileSystem& files, std::vector<std::string> guarded_dirs,
               std::function<void()> wake);
  /// Carries out what was given, then ends.
  ~OutputKeeper();
  OutputKeeper(const OutputKeeper&) = delete;
  OutputKeeper& operator=(const OutputKeeper&) = delete;

  void Give(OutputOrder order);
  void Give(FileOrder order);
  std::vector<KeeperDone> Take();

 private:
  void Loop();
  std::optional<KeeperDone> Do(OutputOrder& order);
  std::optional<KeeperDone> Do(FileOrder& order);
  Status CheckPlace(const std::string& output_dir) const;
  Status CheckContent(const FileOrder& order);

  FileSystem& files_;
  const std::vector<std::string> guarded_dirs_;
  const std::function<void()> wake_;
  /// Files whose hash was found right, as they were then.
  std::map<std::string, FileInfo> known_;
  StagedOutputs outputs_;  // The keeper's thread only.

  std::mutex mutex_;
  std::condition_variable given_;
  std::deque<std::variant<OutputOrder, FileOrder>> orders_;  // Guarded by mutex_, as all below.
  std::vector<KeeperDone> done_;
  std::size_t file_orders_ = 0;  // Of orders_.
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace spillway
