// Codec for Protocol Buffers messages, as keys and as values. Not part of mapreduce.h: include it
// where messages are used, and link protobuf. Serialisation is deterministic, so equal messages
// group together; their order is that of the bytes and means nothing.
#pragma once

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/message_lite.h>

#include "mapreduce/codec.h"

namespace spillway {

template <class Message>
struct Codec<Message, std::enable_if_t<std::is_base_of_v<google::protobuf::MessageLite, Message>>> {
  using View = Message;

  static std::size_t BytesMax(const Message& message) { return 2 * message.ByteSizeLong() + 2; }

  static char* Encode(const Message& message, char* to) {
    const int bytes = static_cast<int>(message.ByteSizeLong());
    google::protobuf::io::ArrayOutputStream array(to, bytes);
    google::protobuf::io::CodedOutputStream stream(&array);
    stream.SetSerializationDeterministic(true);
    message.SerializeWithCachedSizes(&stream);
    return to + bytes;
  }

  static char* EncodeInner(const Message& message, char* to) {
    std::string bytes(message.ByteSizeLong(), '\0');
    Encode(message, bytes.data());
    return internal::PutEscaped(bytes, to);
  }

  static const char* Decode(const char* from, const char* end, Message* message, DecodeScratch&) {
    return message->ParseFromArray(from, static_cast<int>(end - from)) ? end : nullptr;
  }

  static const char* DecodeInner(const char* from, const char* end, Message* message,
                                 DecodeScratch& scratch) {
    std::string_view bytes;
    from = internal::GetEscaped(from, end, &bytes, scratch);
    if (from == nullptr) return nullptr;
    return message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) ? from : nullptr;
  }
};

}  // namespace spillway
