#include "my_job.h"

SPILLWAY_PLUGIN("my_job", "sorts lines `number TAB text` from large to small", "") {
  // Without a reducer the sorted pairs are the output. Ranges of keys, and not their hashes, make
  // the parts one sorted whole.
  return spillway::NewJob().Map<ParseNumber>().Partition<spillway::RangePartitioner>();
}
