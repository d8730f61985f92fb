#include "my_job.h"

SPILLWAY_PLUGIN("my_job", "counts words, whatever their case", "") {
  // A fold adds up while the mapper runs, so that a word is kept once however often it comes.
  return spillway::NewJob().Map<CountWords>().Fold<spillway::Sum<std::uint64_t>>();
}
