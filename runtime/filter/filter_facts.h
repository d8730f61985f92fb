// FilterFacts: what another system must know of a job to do what is between its map and its reduce.
// Values.
#pragma once

#include <cstdint>
#include <string>

#include "mapreduce/base/status.h"
#include "runtime/filter/record_lines.h"

namespace spillway {

struct FilterFacts {
  std::string job_name;
  LineLead lead = LineLead::kKey;
  bool map_only = false;
  bool has_combiner = false;  ///< A class; a fold folds in its map already.
  bool sorts_all = false;     ///< Over all parts, which are ranges of keys.
  bool reads_lines = true;    ///< An input that is cut at newlines keeps its records whole.
  std::uint32_t reducers = 1;
};

/// InvalidArgument for a job that cannot be run in phases.
Result<FilterFacts> FilterFactsOf(const spillway_job& job);

}  // namespace spillway
