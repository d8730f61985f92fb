#include "runtime/core/attempt_id.h"

namespace spillway {

const char* TaskKindName(TaskKind kind) {
  switch (kind) {
    case TaskKind::kMap: return "map";
    case TaskKind::kReduce: return "reduce";
    case TaskKind::kCombine: return "combine";
  }
  return "unknown";
}

std::string AttemptText(const AttemptId& id) {
  return std::string(TaskKindName(id.kind)) + " task " + std::to_string(id.task) + ", attempt " +
         std::to_string(id.attempt);
}

}  // namespace spillway
