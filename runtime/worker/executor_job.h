// ExecutorJob: everything an executor makes of its setup: the plugin's job, its stores, the way to
// other workers' segments, and the engine that runs the attempts. Handle, Progress and Tick are for
// one thread.
#pragma once

#include <functional>
#include <memory>

#include "runtime/protocol/spillway.pb.h"
#include "runtime/storage/posix_file_system.h"
#include "runtime/task/plugin_library.h"
#include "runtime/task/slot_board.h"
#include "runtime/transfer/cluster_segment_source.h"
#include "runtime/transfer/segment_fetcher.h"
#include "runtime/transport/transport_context.h"
#include "runtime/worker/task_engine.h"
#include "shuffle/store/disk_segment_store.h"
#include "shuffle/store/hybrid_segment_store.h"

namespace spillway {

class ExecutorJob {
 public:
  struct Host {
    TransportContext& transport;
    SlotBoard& board;
    std::function<void(wire::Message)> post;  ///< See TaskEngineHost.
    std::function<void(const AttemptId&)> stuck;
  };

  /// Loads the plugin and plans the memory. Errors as PluginLibrary::Load, PluginJob::Configure and
  /// PlanMemory: no task of the job can run in this process. `host` outlives the job.
  static Result<std::unique_ptr<ExecutorJob>> Create(const wire::ExecutorSetup& setup,
                                                     const Host& host);

  /// As TaskEngine::Handle; also WorkerPlace and MemoryShare.
  void Handle(const wire::Message& message);
  wire::Progress Progress() { return engine_->Progress(); }
  void Tick() { engine_->Tick(); }
  [[nodiscard]] bool Stop(std::uint64_t timeout_ms) { return engine_->Stop(timeout_ms); }

  const MemoryPlan& memory() const { return memory_; }

 private:
  ExecutorJob(const MemoryDemand& demand, const MemoryPlan& memory,
              std::unique_ptr<PluginJob> plugin);
  void Replan(const wire::MemoryShare& share);
  Status OpenStores(const wire::ExecutorSetup& setup);
  void OpenSource(const wire::ExecutorSetup& setup, TransportContext& transport);

  PosixFileSystem files_;
  MemoryDemand demand_;
  const MemoryPlan memory_;  ///< The first.
  const std::unique_ptr<PluginJob> plugin_;
  MemoryBudget segment_budget_;  ///< Of what was fetched.
  std::unique_ptr<DiskSegmentStore> disk_;
  std::unique_ptr<HybridSegmentStore> copies_;
  std::unique_ptr<SegmentFetcher> fetcher_;
  std::unique_ptr<ClusterSegmentSource> source_;
  std::unique_ptr<TaskEngine> engine_;
};

}  // namespace spillway
