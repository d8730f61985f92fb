#include "runtime/filter/plugin_filter.h"

#include <memory>
#include <optional>

#include "mapreduce/job.h"
#include "runtime/filter/folded_lines.h"
#include "runtime/filter/input_pipe.h"
#include "runtime/filter/output_pipe.h"
#include "runtime/filter/record_blocks.h"
#include "runtime/filter/record_lines.h"
#include "runtime/filter/sorted_lines.h"
#include "runtime/task/plugin_functions.h"
#include "runtime/task/task_host.h"
#include "runtime/task/user_failure.h"

namespace spillway {
namespace {

const char* NameOf(FilterPhase phase) {
  if (phase == FilterPhase::kMap) return "map";
  return phase == FilterPhase::kCombine ? "combine" : "reduce";
}

/// Stands in a task's place where nobody knows its inputs, so that no output lacks their names.
const char* RefuseInputPath(void* host, std::uint32_t) {
  constexpr std::string_view kWhy =
      "behind the map the job asks for the names of its input files, which other systems do not "
      "tell there. 'spillway run' does.";
  spillway_task* const task = static_cast<TaskHost*>(host)->task();
  task->fail(host, static_cast<std::int32_t>(Code::kInvalidArgument), kWhy.data(), kWhy.size());
  return nullptr;
}

class PluginFilter {
 public:
  PluginFilter(const JobContext& job, const FilterOptions& options, LineLead lead, InputPipe& input,
               OutputPipe& output, MemoryBudget& budget)
      : job_(job),
        options_(options),
        identity_{NameOf(options.phase), options.task_index, options.attempt},
        lead_(lead),
        input_(input),
        output_(output),
        budget_(budget),
        host_(job, identity_, control_),
        partition_(lead == LineLead::kPartition ? MakePartitionFunction(job, host_) : nullptr),
        lines_(lead, job.abi(), partition_.get(), output) {
    host_.set_write([this](std::string_view bytes) { return output_.Append(bytes); });
    if (options.phase == FilterPhase::kReduce) host_.task()->input_path = &RefuseInputPath;
  }

  Status Run() {
    if (options_.phase == FilterPhase::kMap) return Map();
    SortedLines sorted(lead_, job_.order(), input_);
    return options_.phase == FilterPhase::kCombine ? Combine(sorted) : Reduce(sorted);
  }

  CounterValues counters() const { return host_.counters(); }

 private:
  /// A mapper object, for as long as it lives.
  class Mapper {
   public:
    Mapper(const spillway_job& job, TaskHost& host) : job_(job), host_(host) {}
    ~Mapper() {
      if (self == nullptr) return;
      const Status ignored = host_.Run(nullptr, [&] {
        job_.mapper_destroy(self);
        return 0;
      });
      static_cast<void>(ignored.ok());  // The outcome is known already.
    }
    void* self = nullptr;

   private:
    const spillway_job& job_;
    TaskHost& host_;
  };

  Status Map() {
    const spillway_job& job = job_.abi();
    if (job.fold_kind != SPILLWAY_FOLD_NONE) {
      SPILLWAY_ASSIGN_OR_RETURN(
          folded_, FoldedLines::Create(job, options_.memory_bytes / 2, budget_, lines_));
    }
    host_.set_collect([this](std::span<const Record> records) {
      return folded_ != nullptr ? folded_->Collect(records) : lines_.Write(records);
    });
    Mapper mapper(job, host_);
    SPILLWAY_RETURN_IF_ERROR(host_.Run(nullptr, [&] {
      mapper.self = job.mapper_create(host_.task());
      return mapper.self == nullptr ? 1 : 0;
    }));
    RecordBlocks blocks(job.framing, input_);
    spillway_block block{};
    while (true) {
      SPILLWAY_ASSIGN_OR_RETURN(const bool more, blocks.Next(&block));
      if (!more) break;
      const Status mapped =
          host_.Run(&block, [&] { return job.mapper_map(mapper.self, host_.task(), &block); });
      std::optional<RecordPlace> place;
      if (!mapped.ok()) return AtRecord(mapped, *host_.task(), block, false, &place);
    }
    SPILLWAY_RETURN_IF_ERROR(
        host_.Run(nullptr, [&] { return job.mapper_finish(mapper.self, host_.task()); }));
    return folded_ != nullptr ? folded_->Finish() : OkStatus();
  }

  Status Combine(SortedLines& sorted) {
    const spillway_job& job = job_.abi();
    if (job.fold_kind != SPILLWAY_FOLD_NONE) return FoldSortedStates(job, sorted, lines_);
    if (job.combiner_run == nullptr)
      return InvalidArgument("the job has no combiner and no fold: leave --combine out.");
    PluginCombiner combiner(job_, identity_, control_, host_);
    return combiner.Combine(
        sorted, [this](std::span<const Record> records) { return lines_.Write(records); });
  }

  Status Reduce(SortedLines& sorted) {
    const spillway_job& job = job_.abi();
    LastBatch groups(sorted);
    host_.set_groups(&groups);
    const Status reduced = host_.Run(nullptr, [&] { return job.reducer_run(host_.task()); });
    return AtKey(reduced, *host_.task(), groups.batch());
  }

  const JobContext& job_;
  const FilterOptions& options_;
  const TaskIdentity identity_;
  const LineLead lead_;
  InputPipe& input_;
  OutputPipe& output_;
  MemoryBudget& budget_;
  AttemptControl control_;
  TaskHost host_;
  std::unique_ptr<PartitionFunction> partition_;
  RecordLines lines_;
  std::unique_ptr<FoldedLines> folded_;  ///< Of a job with a fold.
};

Status Run(const JobContext& job, const FilterOptions& options, CounterValues* counters) {
  SPILLWAY_ASSIGN_OR_RETURN(const LineLead lead, LineLeadOf(job.abi()));
  if (job.abi().map_only != 0 && options.phase != FilterPhase::kMap)
    return InvalidArgument("the job has no reduce phase: --map alone writes its output.");
  if (lead == LineLead::kPartition && job.partitions > kReducersMax)
    return InvalidArgument("the job chooses partitions itself, and of " +
                           std::to_string(job.partitions) +
                           " a line cannot tell the number: at most " +
                           std::to_string(kReducersMax) + " reduce tasks.");
  MemoryBudget budget(options.memory_bytes);
  InputPipeOptions pipe;
  pipe.name = options.input_name;
  SPILLWAY_ASSIGN_OR_RETURN(InputPipe input, InputPipe::Open(options.input_fd, pipe, budget));
  SPILLWAY_ASSIGN_OR_RETURN(OutputPipe output, OutputPipe::Open(options.output_fd, budget));
  PluginFilter filter(job, options, lead, input, output, budget);
  const Status ended = filter.Run();
  *counters = filter.counters();
  SPILLWAY_RETURN_IF_ERROR(ended);
  return output.Flush();
}

}  // namespace

FilterOutcome RunPluginFilter(const JobContext& job, const FilterOptions& options) {
  FilterOutcome outcome;
  outcome.status = Run(job, options, &outcome.counters);
  return outcome;
}

}  // namespace spillway
