// Any bytes as a file of pairs and as the file of a chain: read to the end, or refused as bad data.
// Checksums are put right first where the input asks for it: no fuzzer guesses them.
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "mapreduce/base/check.h"
#include "mapreduce/builtin/pair_file.h"
#include "mapreduce/chain_file.h"
#include "mapreduce/codec_tuple.h"

using namespace spillway;

namespace {

/// Makes every header right that has its magic where one may be, and its payload's checksum.
void Repair(std::string& content) {
  for (std::size_t at = 0; content.size() - at >= PairBlock::kHeadBytes;) {
    char* const head = content.data() + at;
    std::memcpy(head, PairBlock::kMagic.data(), PairBlock::kMagic.size());
    const std::size_t room = content.size() - at - PairBlock::kHeadBytes;
    const std::size_t payload = std::min<std::size_t>(LoadLittle<std::uint32_t>(head + 8), room);
    PairBlock block;
    block.payload_bytes = static_cast<std::uint32_t>(payload);
    block.pairs = LoadLittle<std::uint32_t>(head + 12);
    block.first_pair = LoadLittle<std::uint64_t>(head + 16);
    block.checksum = Xxh64({head + PairBlock::kHeadBytes, payload});
    block.Encode(head);
    at += PairBlock::kHeadBytes + payload;
  }
}

template <class K, class V>
void Read(std::string_view content) {
  std::uint64_t begin = internal::PairFileStart(content.data(), content.size(), 1);
  SPILLWAY_CHECK_LE(begin, content.size());
  while (begin < content.size()) {
    const std::string_view rest = content.substr(begin);
    const std::uint64_t bytes = internal::PairBlockBytes(rest.data(), rest.size(), 1);
    if (bytes == Framing::kNeedMore || bytes == Framing::kBadData) return;
    SPILLWAY_CHECK(bytes >= PairBlock::kHeadBytes && bytes <= rest.size());
    // As the host's reader hands it over: its own bytes, and padding behind them.
    const std::unique_ptr<char[]> copy(new char[bytes + SPILLWAY_PADDING_BYTES]());
    std::memcpy(copy.get(), rest.data(), bytes);
    const InputBlock block{{copy.get(), bytes}, begin, 0, "fuzzed.pairs"};
    try {
      Pairs<K, V>::ForEach(block, [&](const Pair<K, V>& pair, const char* at) {
        SPILLWAY_CHECK(at >= copy.get() && at < copy.get() + bytes);
        volatile std::size_t sink = 0;
        if constexpr (requires { pair.key.size(); }) {
          for (const char c : pair.key) sink = sink + static_cast<std::size_t>(c);
        }
      });
    } catch (const BadRecord&) {
    }
    begin += bytes;
  }
}

void ReadChain(std::string_view text) {
  ChainFile file;
  bool whole = true;
  while (!text.empty() && whole) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    whole = file.Add(text.substr(0, end), "fuzzed.chain").ok();
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  for (std::uint32_t stage = 0; stage < 3; ++stage) SPILLWAY_CHECK(!file.IsOf("", stage));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) return 0;
  std::string content(reinterpret_cast<const char*>(data) + 1, size - 1);
  ReadChain(content);
  if ((data[0] & 1) != 0 && content.size() >= PairBlock::kHeadBytes) Repair(content);
  Read<std::string, std::string>(content);
  Read<std::pair<std::string, std::uint32_t>, double>(content);
  Read<Nothing, std::tuple<bool, std::string, std::string>>(content);
  return 0;
}
