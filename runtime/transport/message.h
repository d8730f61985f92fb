// TransportMessage: what one send carries: a header, and for bulk data a payload behind it. The
// bytes are ZeroMQ's own, so that a received payload is used where it arrived and a payload that
// is read from a file is read straight into the message. Move-only values; one thread at a time.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

namespace spillway {

/// Bytes in ZeroMQ's memory. Empty by default.
class MessageBuffer {
 public:
  MessageBuffer();
  MessageBuffer(MessageBuffer&& other) noexcept;
  MessageBuffer& operator=(MessageBuffer&& other) noexcept;
  ~MessageBuffer();

  /// Uninitialised bytes, to be written before they are sent.
  static MessageBuffer Allocate(std::size_t bytes);
  static MessageBuffer Copy(std::string_view bytes);

  char* data();
  std::size_t size() const;
  std::string_view view() const;

 private:
  friend class SocketBase;
  struct Rep;

  void* native();  // The zmq::message_t, made when there is none.

  std::unique_ptr<Rep> rep_;
};

struct TransportMessage {
  MessageBuffer header;
  MessageBuffer payload;  ///< Empty where there is none: nothing is sent for it.
};

}  // namespace spillway
