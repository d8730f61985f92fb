// FieldWalk: looks through serialised bytes of a message before they are parsed, which would spend
// the memory that limits are to save: an empty submessage takes two bytes there and fifty in
// memory. Pure; no thread affinity.
#pragma once

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <cstdint>
#include <string_view>

namespace spillway {

class FieldWalk {
 public:
  explicit FieldWalk(std::string_view bytes)
      : stream_(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                static_cast<int>(bytes.size())) {}

  /// Calls each(field number) for the fields of the message, until it returns false or the bytes
  /// are no message any more: then the result is false. In a call, Inside looks into that field.
  template <class Each>
  bool ForEach(Each&& each) {
    using google::protobuf::internal::WireFormatLite;
    while ((tag_ = stream_.ReadTag()) != 0) {
      const std::uint32_t tag = tag_;
      if (!each(WireFormatLite::GetTagFieldNumber(tag))) return false;
      if (tag_ != 0 && !WireFormatLite::SkipField(&stream_, tag)) return false;
    }
    return true;
  }

  /// Goes through the fields of the submessage that ForEach is at, in the same way. False as well
  /// when it is no submessage.
  template <class Each>
  bool Inside(Each&& each) {
    using google::protobuf::internal::WireFormatLite;
    std::uint32_t bytes = 0;
    if (WireFormatLite::GetTagWireType(tag_) != WireFormatLite::WIRETYPE_LENGTH_DELIMITED ||
        !stream_.ReadVarint32(&bytes))
      return false;
    const auto limit = stream_.PushLimit(static_cast<int>(bytes));
    const bool whole = ForEach(each);
    stream_.PopLimit(limit);
    tag_ = 0;  // It is read.
    return whole;
  }

 private:
  google::protobuf::io::CodedInputStream stream_;
  std::uint32_t tag_ = 0;  // Of the field that is looked at; 0: it has been read.
};

}  // namespace spillway
