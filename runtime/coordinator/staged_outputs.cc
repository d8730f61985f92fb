#include "runtime/coordinator/staged_outputs.h"

#include <utility>

namespace spillway {

OutputDone StagedOutputs::Do(OutputOrder order) {
  OutputDone done;
  if (order.kind == OutputOrder::Kind::kOpen) {
    auto staging = OutputStaging::Create(files_, order.staging);
    done.status = staging.status();
    if (staging.ok()) {
      done.staging_dir = (*staging)->staging_dir();
      stagings_[order.job] = std::move(staging).value();
    }
  } else if (order.kind == OutputOrder::Kind::kDrop) {
    if (!order.staging_dir.empty()) {
      const auto staging = StagingOf(order);
      if (staging.ok()) (*staging)->Discard();
    }
    stagings_.erase(order.job);
  } else {
    const auto staging = StagingOf(order);
    done.status = staging.status();
    if (staging.ok()) done.status = (*staging)->CommitJob(order.manifest_head, order.parts);
    if (done.status.ok()) stagings_.erase(order.job);
  }
  done.order = std::move(order);
  return done;
}

Result<OutputStaging*> StagedOutputs::StagingOf(const OutputOrder& order) {
  const auto known = stagings_.find(order.job);
  if (known != stagings_.end()) return known->second.get();
  SPILLWAY_ASSIGN_OR_RETURN(auto staging,
                            OutputStaging::Adopt(files_, order.staging, order.staging_dir));
  return (stagings_[order.job] = std::move(staging)).get();
}

}  // namespace spillway
