// Any bytes as encoded records: nothing is read outside of them, and what decodes encodes to the
// same record again.
#include <memory>
#include <string>

#include "mapreduce/base/check.h"
#include "shuffle/record/record.h"

using namespace spillway;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const char* at = reinterpret_cast<const char*>(data);
  const char* const end = at + size;
  Record record;
  while (at < end) {
    const char* const next = DecodeRecord(at, end, &record);
    if (next == nullptr) break;
    SPILLWAY_CHECK(next > at && next <= end);

    std::string encoded(EncodedBytes(record.key_bytes, record.value_bytes), '\0');
    SPILLWAY_CHECK_EQ(EncodeRecord(record, encoded.data()), encoded.data() + encoded.size());
    // The input may spell a length with more bytes than it needs, we do not.
    SPILLWAY_CHECK_LE(encoded.size(), static_cast<std::size_t>(next - at));
    Record again;
    SPILLWAY_CHECK_EQ(DecodeRecord(encoded.data(), encoded.data() + encoded.size(), &again),
                      encoded.data() + encoded.size());
    SPILLWAY_CHECK(KeyOf(again) == KeyOf(record) && ValueOf(again) == ValueOf(record));
    at = next;
  }
  return 0;
}
