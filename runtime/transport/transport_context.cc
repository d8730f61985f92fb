#include "runtime/transport/transport_context.h"

#include <atomic>
#include <cstdint>
#include <utility>
#include <zmq.hpp>

#include "runtime/transport/zap_handler.h"

namespace spillway {

struct TransportContext::State {
  explicit State(int io_threads) : context(io_threads) {}

  // Ends the handler's thread, for which the handler's destructor waits; the context's waits for
  // the sockets.
  ~State() { context.shutdown(); }

  zmq::context_t context;
  ZapHandler zap;
  std::atomic<std::uint64_t> names{0};
};

TransportContext::TransportContext(int io_threads) : state_(std::make_unique<State>(io_threads)) {}

TransportContext::~TransportContext() = default;

void* TransportContext::native() const { return &state_->context; }

std::string TransportContext::UniqueName() {
  return std::to_string(state_->names.fetch_add(1, std::memory_order_relaxed));
}

Result<std::unique_ptr<ZapDomain>> ZapDomain::Open(TransportContext& context,
                                                   KeyAuthority authority) {
  SPILLWAY_RETURN_IF_ERROR(context.state_->zap.Start(context.native()));
  std::string name = "spillway-" + context.UniqueName();
  context.state_->zap.Put(name, std::move(authority));
  return std::unique_ptr<ZapDomain>(new ZapDomain(context, std::move(name)));
}

ZapDomain::ZapDomain(TransportContext& context, std::string name)
    : context_(context), name_(std::move(name)) {}

ZapDomain::~ZapDomain() { context_.state_->zap.Remove(name_); }

}  // namespace spillway
