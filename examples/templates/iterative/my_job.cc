#include "my_job.h"

SPILLWAY_PLUGIN("my_job", "finds the two groups that numbers fall into", "") {
  return spillway::NewLoop(TwoGroups()).Rounds(100);
}
