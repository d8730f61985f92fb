#include "runtime/core/attempt_id.h"

namespace spillway {

std::string AttemptText(const AttemptId& id) {
  return std::string(TaskKindName(id.kind)) + " task " + std::to_string(id.task) + ", attempt " +
         std::to_string(id.attempt);
}

}  // namespace spillway
