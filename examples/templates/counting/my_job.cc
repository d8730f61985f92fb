#include "my_job.h"

SPILLWAY_PLUGIN("my_job", "counts words, whatever their case", "") {
  if (args.size() != 0) return spillway::InvalidArgument("it takes no arguments");
  // A fold adds up while the mapper runs, so that a word is kept once however often it comes.
  return spillway::NewJob().Map<CountWords>().Fold<spillway::Sum<std::uint64_t>>();
}
