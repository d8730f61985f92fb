#include "runtime/task/loop_task.h"

#include <utility>

#include "runtime/task/batch_cache.h"
#include "runtime/task/split_walk.h"

namespace spillway {

namespace {

class LoopAttempt {
 public:
  LoopAttempt(const LoopTaskSpec& spec, const MapTaskResources& resources, LoopExchange& exchange)
      : spec_(spec),
        resources_(resources),
        exchange_(exchange),
        loop_(*resources.job.abi().loop),
        identity_{"map", spec.input.index, spec.input.attempt},
        host_(resources.job, identity_, resources.control),
        walk_(spec.input, resources, host_),
        cache_(loop_, resources.budget, *resources.segments,
               {resources.job.job, spec.input.index, spec.input.attempt}) {
    host_.set_ranges(&spec.input.ranges);
    host_.set_write([this](std::string_view bytes) { return resources_.part.Append(bytes); });
  }

  Status Run() {
    for (const SplitRange& range : spec_.input.ranges) SPILLWAY_RETURN_IF_ERROR(ReadPart(range));
    SPILLWAY_RETURN_IF_ERROR(cache_.Finish());
    LoopPlace at;
    while (true) {
      SPILLWAY_ASSIGN_OR_RETURN(const LoopExchange::Turn turn,
                                exchange_.Await(spec_.seat, at, host_, resources_.control));
      if (turn.ended) return Print(turn);
      at = turn.place;
      SPILLWAY_RETURN_IF_ERROR(MapRound(turn));
      // The others need not wait for it.
      if (spec_.seat.task == 0)
        SPILLWAY_RETURN_IF_ERROR(exchange_.Checkpoint(spec_.seat, turn, host_));
    }
  }

  MapTaskResult Report(const Status& status) {
    exchange_.Leave(spec_.seat);
    MapTaskResult result;
    result.status = status;
    result.bad_record = walk_.bad_record();
    result.input_bytes = walk_.input_bytes();
    result.input_records = host_.task()->records_in;
    result.output_records = host_.task()->records_out;
    result.counters = host_.counters();
    auto& counters = result.counters["loop"];
    counters["parts parsed"] = cache_.parts();
    counters["batches in memory"] = cache_.batches() - cache_.saved_batches();
    counters["batches saved"] = cache_.saved_batches();
    result.left_bytes = left_bytes_;
    result.collected.spills = cache_.saved_batches() > 0 ? 1 : 0;
    result.segment.stored_bytes = cache_.saved_bytes();
    result.segment_on_disk = cache_.saved_bytes() > 0;
    return result;
  }

 private:
  Status ReadPart(const SplitRange& range) {
    cache_.BeginPart();
    void* filling = nullptr;
    const spillway_batch_sink full{
        this, [](void* self, void* batch) { return static_cast<LoopAttempt*>(self)->Take(batch); }};
    const Status walked = walk_.Walk(range, [&](const spillway_block& block) {
      return loop_.parse(loop_.self, host_.task(), &block, &filling, &full);
    });
    LoopObject last(loop_, SPILLWAY_LOOP_BATCH, filling);
    SPILLWAY_RETURN_IF_ERROR(failure_);  // Which the walk knows as the plugin's giving up.
    SPILLWAY_RETURN_IF_ERROR(walked);
    return last ? cache_.Add(std::move(last), host_) : OkStatus();
  }

  int Take(void* batch) {
    failure_ = cache_.Add(LoopObject(loop_, SPILLWAY_LOOP_BATCH, batch), host_);
    return failure_.ok() ? 0 : 1;
  }

  Status MapRound(const LoopExchange::Turn& turn) {
    const std::uint32_t kind = turn.place.round == 0 ? SPILLWAY_LOOP_START : SPILLWAY_LOOP_PARTIAL;
    const void* const state = turn.state == nullptr ? nullptr : turn.state->get();
    LoopContribution contribution{spec_.seat, turn.place, {}};
    for (std::size_t i = 0; i < cache_.parts(); ++i) {
      SPILLWAY_ASSIGN_OR_RETURN(const LoopObject into, LoopObject::Create(loop_, kind, host_));
      SPILLWAY_RETURN_IF_ERROR(cache_.ForEach(i, host_, [&](const void* batch) -> Status {
        if (resources_.control.cancelled()) return Cancelled("the attempt was stopped");
        resources_.control.AddProgress();
        return host_.Run(nullptr, [&] {
          return loop_.map(loop_.self, host_.task(), kind, batch, state, into.get());
        });
      }));
      if (kind == SPILLWAY_LOOP_PARTIAL && HasTrait(loop_, SPILLWAY_LOOP_FINISHES_PARTS))
        SPILLWAY_RETURN_IF_ERROR(host_.Run(nullptr, [&] {
          return loop_.map(loop_.self, host_.task(), kind, nullptr, state, into.get());
        }));
      SPILLWAY_ASSIGN_OR_RETURN(std::string bytes, into.Save(host_));
      left_bytes_ += bytes.size();
      const auto part = static_cast<std::uint32_t>(spec_.seat.task + i * spec_.seats);
      contribution.parts.push_back({part, std::move(bytes)});
    }
    return exchange_.Contribute(std::move(contribution));
  }

  Status Print(const LoopExchange::Turn& turn) {
    if (spec_.seat.task != 0) return OkStatus();
    if (turn.state == nullptr) return Aborted("the loop was over before its result was written");
    return host_.Run(nullptr,
                     [&] { return loop_.print(loop_.self, host_.task(), turn.state->get()); });
  }

  const LoopTaskSpec& spec_;
  const MapTaskResources& resources_;
  LoopExchange& exchange_;
  const spillway_loop& loop_;
  const TaskIdentity identity_;
  TaskHost host_;
  SplitWalk walk_;
  BatchCache cache_;
  Status failure_;
  std::uint64_t left_bytes_ = 0;
};

}  // namespace

MapTaskResult RunLoopTask(const LoopTaskSpec& spec, const MapTaskResources& resources,
                          LoopExchange& exchange) {
  LoopAttempt attempt(spec, resources, exchange);
  const Status status = attempt.Run();
  return attempt.Report(status);
}

}  // namespace spillway
