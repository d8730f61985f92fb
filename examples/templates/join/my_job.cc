#include "my_job.h"

SPILLWAY_PLUGIN("my_job", "joins orders with the customers who gave them", "") {
  // All records of one customer are one group, whichever side they are of.
  return spillway::NewJob().Map<TagLines>().GroupBy<spillway::GroupByFirst>().Reduce<NameOrders>();
}
