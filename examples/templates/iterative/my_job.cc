#include "my_job.h"

SPILLWAY_PLUGIN("my_job", "finds the two groups that numbers fall into", "") {
  if (args.size() != 0) return spillway::InvalidArgument("it takes no arguments");
  return spillway::NewLoop(TwoGroups()).Rounds(100);
}
