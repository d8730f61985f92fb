// A segment of arbitrary records, then damaged: it reads back as it was written, or says DataLoss.
// Never anything else, and never a byte that was not written.
#include <fuzzer/FuzzedDataProvider.h>

#include <string>
#include <vector>

#include "mapreduce/base/check.h"
#include "shuffle/format/segment_reader.h"
#include "shuffle/format/segment_writer.h"

using namespace spillway;

namespace {

constexpr std::uint32_t kPartitions = 3;
constexpr SegmentId kPlace{.job = 7, .map_task = 5, .attempt = 1};

/// Records of one partition of one run, encoded one after the other.
using RunContent = std::vector<std::string>;

class StringFile final : public SegmentFile {
 public:
  Status Append(std::string_view bytes) override {
    content += bytes;
    return OkStatus();
  }
  std::uint64_t size() const override { return content.size(); }
  bool on_disk() const override { return true; }
  Status Commit() override { return OkStatus(); }

  std::string content;
};

class StringBytes final : public SegmentBytes {
 public:
  explicit StringBytes(std::string content) : content_(std::move(content)) {}
  std::uint64_t size() const override { return content_.size(); }
  Result<std::string_view> ReadAt(std::uint64_t offset, std::uint64_t bytes,
                                  char* scratch) const override {
    if (offset > content_.size() || bytes > content_.size() - offset) return DataLoss("too short");
    std::memcpy(scratch, content_.data() + offset, bytes);
    return std::string_view(scratch, bytes);
  }
  void Release(std::uint64_t, std::uint64_t) override {}
  std::string name() const override { return "fuzzed segment"; }

 private:
  const std::string content_;
};

std::vector<RunContent> Write(FuzzedDataProvider& input, StringFile& file) {
  SegmentWriterOptions options;
  options.block_bytes = input.PickValueInArray<std::uint32_t>({16, 64, 4096});
  SegmentWriter writer(kPlace, kPartitions, file, options);
  const auto runs = input.ConsumeIntegralInRange<std::size_t>(1, 3);
  std::vector<RunContent> content;
  for (std::size_t run = 0; run < runs; ++run) {
    writer.BeginRun();
    content.emplace_back(kPartitions);
    for (std::uint32_t partition = 0; partition < kPartitions; ++partition) {
      const auto records = input.ConsumeIntegralInRange<std::size_t>(0, 6);
      for (std::size_t i = 0; i < records; ++i) {
        const std::string key = input.ConsumeRandomLengthString(40);
        const std::string value(input.ConsumeIntegralInRange<std::size_t>(0, 200), 'v');
        const Record record = MakeRecord(key, value);
        std::string encoded(EncodedBytes(record.key_bytes, record.value_bytes), '\0');
        EncodeRecord(record, encoded.data());
        SPILLWAY_CHECK(writer.Add(partition, std::string_view(encoded)).ok());
        content.back()[partition] += encoded;
      }
    }
    SPILLWAY_CHECK(writer.FinishRun().ok());
  }
  SPILLWAY_CHECK(writer.Finish().ok());
  return content;
}

/// Changes bytes of `content`, or cuts it; says whether anything is different.
bool Damage(FuzzedDataProvider& input, std::string& content) {
  const std::string before = content;
  const auto flips = input.ConsumeIntegralInRange<std::size_t>(0, 3);
  for (std::size_t i = 0; i < flips; ++i)
    content[input.ConsumeIntegralInRange<std::size_t>(0, content.size() - 1)] ^=
        static_cast<char>(input.ConsumeIntegral<std::uint8_t>());
  if (input.ConsumeBool())
    content.resize(input.ConsumeIntegralInRange<std::size_t>(0, content.size()));
  return content != before;
}

/// True when the whole segment reads back; what does read back is always what was written.
bool ReadsBack(const std::string& stored, const std::vector<RunContent>& written) {
  auto reader = SegmentReader::Open(std::make_shared<StringBytes>(stored), kPlace);
  if (!reader.ok()) {
    SPILLWAY_CHECK(reader.status().code() == Code::kDataLoss);
    return false;
  }
  SPILLWAY_CHECK_EQ((*reader)->runs(), written.size());
  MemoryBudget budget(64 << 20);
  bool whole = true;
  for (std::uint32_t run = 0; run < written.size(); ++run) {
    for (std::uint32_t partition = 0; partition < kPartitions; ++partition) {
      const std::string_view expected = written[run][partition];
      const auto source = (*reader)->OpenRun(run, partition, budget, {});
      std::string read;
      for (Block block;;) {
        const auto more = source->Next(&block);
        if (!more.ok()) SPILLWAY_CHECK(more.status().code() == Code::kDataLoss);
        if (!more.ok()) whole = false;
        if (!more.ok() || !*more) break;
        read += block.bytes;
        SPILLWAY_CHECK(expected.starts_with(read));
      }
      SPILLWAY_CHECK(!whole || read == expected);
    }
  }
  return whole;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  FuzzedDataProvider input(data, size);
  StringFile file;
  const std::vector<RunContent> written = Write(input, file);
  std::string stored = file.content;
  const bool damaged = Damage(input, stored);
  SPILLWAY_CHECK_EQ(ReadsBack(stored, written), !damaged);
  return 0;
}
