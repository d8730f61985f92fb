// LocalExecutor: the worker's side of a job that runs in this process: scratch directories, stores,
// and the task engine over them. Its segments stay in memory as long as the budget has room.
// Handle, Tick and Progress are for one thread; what the engine posts is taken by the same.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "runtime/local/prepared_job.h"
#include "runtime/protocol/spillway.pb.h"
#include "runtime/storage/posix_file_system.h"
#include "runtime/storage/scratch_directory.h"
#include "runtime/task/slot_board.h"
#include "runtime/transfer/local_segment_source.h"
#include "runtime/worker/task_engine.h"
#include "shuffle/store/disk_segment_store.h"
#include "shuffle/store/hybrid_segment_store.h"

namespace spillway {

class LocalExecutor {
 public:
  explicit LocalExecutor(std::shared_ptr<const PreparedJob> job);
  /// Close comes before.
  ~LocalExecutor();

  /// Makes scratch directories, and removes what dead runs left there. `run_id` names them.
  Status Open(const std::string& run_id);

  /// StartJob makes the engine; the rest is the engine's. A job that cannot begin is answered by
  /// the failure of each attempt.
  void Handle(const wire::Message& message);
  void Tick();
  wire::Progress Progress();

  /// What the engine has posted; waits up to `wait_ms` when there is nothing.
  std::vector<wire::Message> Take(std::uint64_t wait_ms);

  /// Attempts that user code does not come back from; each keeps a thread.
  std::uint32_t stuck() const { return stuck_; }
  /// What the first of them does, and where: "map task 0, attempt 1: Words at in.txt:120".
  const std::string& stuck_text() const { return stuck_text_; }
  /// See TaskEngine.
  std::uint32_t loop_round() const { return engine_ == nullptr ? 0 : engine_->loop_round(); }
  std::uint64_t spilled_bytes() const { return disk_ == nullptr ? 0 : disk_->spilled_bytes(); }

  /// Ends the engine and removes the scratch directories. User code that does not come back is left
  /// behind with all that it uses; the process should end soon.
  void Close();

 private:
  void Post(wire::Message message);
  void OnStuck(const AttemptId& id);

  const std::shared_ptr<const PreparedJob> job_;
  PosixFileSystem files_;
  std::vector<std::unique_ptr<ScratchDirectory>> scratch_;
  MemoryBudget segment_budget_;
  std::unique_ptr<DiskSegmentStore> disk_;
  std::unique_ptr<HybridSegmentStore> segments_;
  std::unique_ptr<LocalSegmentSource> source_;
  std::unique_ptr<SlotBoard> board_;
  std::unique_ptr<TaskEngine> engine_;
  Status failure_;  ///< Not ok: no task of the job can run.
  std::uint32_t stuck_ = 0;
  std::string stuck_text_;

  std::mutex mutex_;
  std::condition_variable posted_;
  std::vector<wire::Message> outbox_;  // Guarded by mutex_.
};

}  // namespace spillway
