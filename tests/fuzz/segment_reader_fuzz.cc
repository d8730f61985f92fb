// Any bytes as a whole segment: refused with DataLoss, or read to its end without a crash, a wild
// read or an allocation beyond what the bytes can expand to. Checksums are put right first where
// the input asks for it, because no fuzzer guesses them, and a bug of a writer would have them
// right.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>

#include "mapreduce/base/check.h"
#include "shuffle/format/segment_layout.h"
#include "shuffle/format/segment_reader.h"

using namespace spillway;

namespace {

constexpr SegmentId kPlace{.job = 7, .map_task = 5, .attempt = 1};
// Bounds the work for one input, not what is believed of it.
constexpr std::uint32_t kRunsMax = 8, kPartitionsMax = 64;

class FuzzedBytes final : public SegmentBytes {
 public:
  FuzzedBytes(std::string content, bool resident)
      : bytes_(content.size()), content_(std::move(content)), resident_(resident) {
    content_.append(SPILLWAY_PADDING_BYTES, '\0');
  }
  std::uint64_t size() const override { return bytes_; }
  Result<std::string_view> ReadAt(std::uint64_t offset, std::uint64_t bytes,
                                  char* scratch) const override {
    if (offset > bytes_ || bytes > bytes_ - offset) return DataLoss("too short");
    std::memcpy(scratch, content_.data() + offset, bytes);
    return std::string_view(scratch, bytes);
  }
  std::string_view View(std::uint64_t offset, std::uint64_t bytes) const override {
    if (!resident_ || offset > bytes_ || bytes > bytes_ - offset) return {};
    return std::string_view(content_).substr(offset, bytes);
  }
  void Release(std::uint64_t offset, std::uint64_t bytes) override {
    SPILLWAY_CHECK(offset <= bytes_ && bytes <= bytes_ - offset);
  }
  std::string name() const override { return "fuzzed segment"; }

 private:
  const std::uint64_t bytes_;
  std::string content_;
  const bool resident_;
};

// Makes the header, the footer and the index belong to kPlace with right checksums.
void RepairEnds(std::string& content) {
  if (content.size() < sizeof(SegmentHeader) + sizeof(SegmentFooter)) return;
  const std::size_t footer_offset = content.size() - sizeof(SegmentFooter);
  SegmentFooter footer;
  std::memcpy(&footer, content.data() + footer_offset, sizeof footer);
  footer.version = kSegmentVersion;
  footer.magic = kSegmentEndMagic;
  footer.job = kPlace.job;
  footer.map_task = kPlace.map_task;
  footer.attempt = kPlace.attempt;
  const std::uint64_t index_bytes =
      std::min<std::uint64_t>(footer.index_bytes, footer_offset - sizeof(SegmentHeader));
  footer.index_bytes = index_bytes;
  footer.index_offset = footer_offset - index_bytes;
  footer.index_checksum =
      Digest(std::string_view(content).substr(footer.index_offset, index_bytes));
  footer.footer_checksum = FooterChecksum(footer);
  std::memcpy(content.data() + footer_offset, &footer, sizeof footer);
  SegmentHeader header;
  header.partitions = footer.partitions;
  header.job = kPlace.job;
  header.map_task = kPlace.map_task;
  header.attempt = kPlace.attempt;
  std::memcpy(content.data(), &header, sizeof header);
}

// Makes the checksums of the blocks right that the index leads to.
void RepairBlocks(std::string& content) {
  auto reader = SegmentReader::Open(std::make_shared<FuzzedBytes>(content, true), kPlace);
  if (!reader.ok()) return;
  for (std::uint32_t run = 0; run < std::min((*reader)->runs(), kRunsMax); ++run) {
    for (std::uint32_t p = 0; p < std::min((*reader)->partitions(), kPartitionsMax); ++p) {
      const Extent& extent = (*reader)->extent(run, p);
      std::uint64_t at = extent.offset;
      const std::uint64_t end = extent.offset + extent.stored_bytes;
      for (std::uint32_t block = 0; block < extent.blocks; ++block) {
        BlockHeader header;
        if (end - at < sizeof header) break;
        std::memcpy(&header, content.data() + at, sizeof header);
        if (header.stored_bytes > end - at - sizeof header) break;
        const std::string_view payload(content.data() + at + sizeof header, header.stored_bytes);
        header.checksum =
            BlockChecksum(header, {kPlace, run, p, extent.first_block + block}, Digest(payload));
        std::memcpy(content.data() + at, &header, sizeof header);
        at += sizeof header + header.stored_bytes;
      }
    }
  }
}

void ReadAll(const SegmentReader& reader, std::uint64_t size) {
  MemoryBudget budget(0);
  for (std::uint32_t run = 0; run < std::min(reader.runs(), kRunsMax); ++run) {
    for (std::uint32_t p = 0; p < std::min(reader.partitions(), kPartitionsMax); ++p) {
      const auto source =
          reader.OpenRun(run, p, budget, {.release_behind = true, .read_ahead_bytes = 100});
      SPILLWAY_CHECK_LE(source->buffer_bytes(), (kExpansionMax + 1) * size + 100);
      for (Block block;;) {
        const auto more = source->Next(&block);
        SPILLWAY_CHECK_LE(budget.used_bytes(), source->buffer_bytes());
        if (!more.ok()) SPILLWAY_CHECK(more.status().code() == Code::kDataLoss);
        if (!more.ok() || !*more) break;
        volatile char sink = 0;
        for (const char c : block.bytes) sink = c;
        (void)sink;
      }
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) return 0;
  const unsigned mode = data[0];
  std::string content(reinterpret_cast<const char*>(data) + 1, size - 1);
  if ((mode & 1) != 0) RepairEnds(content);
  if ((mode & 2) != 0) RepairBlocks(content);
  const bool resident = (mode & 4) != 0;
  const std::uint64_t bytes = content.size();
  const auto reader =
      SegmentReader::Open(std::make_shared<FuzzedBytes>(std::move(content), resident), kPlace);
  if (reader.ok())
    ReadAll(**reader, bytes);
  else
    SPILLWAY_CHECK(reader.status().code() == Code::kDataLoss);
  return 0;
}
