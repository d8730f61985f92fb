#include "runtime/transport/message.h"

#include <cstring>
#include <zmq.hpp>

namespace spillway {

struct MessageBuffer::Rep {
  zmq::message_t message;
};

MessageBuffer::MessageBuffer() = default;
MessageBuffer::MessageBuffer(MessageBuffer&& other) noexcept = default;
MessageBuffer& MessageBuffer::operator=(MessageBuffer&& other) noexcept = default;
MessageBuffer::~MessageBuffer() = default;

MessageBuffer MessageBuffer::Allocate(std::size_t bytes) {
  MessageBuffer buffer;
  buffer.rep_ = std::make_unique<Rep>(Rep{zmq::message_t(bytes)});
  return buffer;
}

MessageBuffer MessageBuffer::Copy(std::string_view bytes) {
  MessageBuffer buffer = Allocate(bytes.size());
  if (!bytes.empty()) std::memcpy(buffer.data(), bytes.data(), bytes.size());
  return buffer;
}

char* MessageBuffer::data() { return rep_ == nullptr ? nullptr : rep_->message.data<char>(); }

std::size_t MessageBuffer::size() const { return rep_ == nullptr ? 0 : rep_->message.size(); }

std::string_view MessageBuffer::view() const {
  if (rep_ == nullptr) return {};
  return {rep_->message.data<char>(), rep_->message.size()};
}

void* MessageBuffer::native() {
  if (rep_ == nullptr) rep_ = std::make_unique<Rep>();
  return &rep_->message;
}

}  // namespace spillway
