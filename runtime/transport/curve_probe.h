// CurveProbe: knocks at an endpoint with a key that nobody knows. An endpoint that answers is open
// to everybody, which CURVE by itself is.
#pragma once

#include <string>

#include "mapreduce/base/status.h"

namespace spillway {

struct CurveProbeOptions {
  std::string endpoint;    ///< As bound; a wildcard address is tried at loopback.
  std::string server_key;  ///< Z85.
  std::string name;        ///< Unique within the context.
  long timeout_ms = 10'000;
};

/// Ok when the endpoint refuses the key. PermissionDenied when it lets it in, Unavailable when it
/// says neither in time. `context` is the zmq::context_t.
Status CheckStrangerRefused(void* context, const CurveProbeOptions& options);

}  // namespace spillway
