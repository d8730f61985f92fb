#include "runtime/filter/filter_facts.h"

#include <algorithm>

namespace spillway {

Result<FilterFacts> FilterFactsOf(const spillway_job& job) {
  FilterFacts facts;
  SPILLWAY_ASSIGN_OR_RETURN(facts.lead, LineLeadOf(job));
  facts.job_name = job.name;
  facts.map_only = job.map_only != 0;
  facts.has_combiner = job.combiner_run != nullptr;
  facts.sorts_all = !facts.map_only && job.partition_kind == SPILLWAY_PARTITION_RANGE;
  facts.reads_lines =
      job.framing.kind == SPILLWAY_FRAMING_SPACES ||
      (job.framing.kind == SPILLWAY_FRAMING_DELIMITED && job.framing.delimiter == '\n');
  facts.reducers = std::max(1U, job.reducers_default);
  return facts;
}

}  // namespace spillway
