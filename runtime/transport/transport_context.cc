#include "runtime/transport/transport_context.h"

#include <zmq.hpp>

namespace spillway {

struct TransportContext::State {
  explicit State(int io_threads) : context(io_threads) {}

  zmq::context_t context;
};

TransportContext::TransportContext(int io_threads) : state_(std::make_unique<State>(io_threads)) {}

TransportContext::~TransportContext() = default;

void* TransportContext::native() const { return &state_->context; }

}  // namespace spillway
