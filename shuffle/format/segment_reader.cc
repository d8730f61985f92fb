#include "shuffle/format/segment_reader.h"

#include <cstring>
#include <string>
#include <utility>

#include "mapreduce/base/check.h"
#include "shuffle/format/run_blocks.h"
#include "shuffle/format/segment_index.h"
#include "shuffle/format/segment_layout.h"

namespace spillway {
namespace {

std::string PlaceName(const SegmentId& id) {
  return "job " + std::to_string(id.job) + ", map task " + std::to_string(id.map_task) +
         ", attempt " + std::to_string(id.attempt);
}

Status Damaged(const SegmentBytes& bytes, std::uint64_t offset, const std::string& what) {
  return DataLoss(bytes.name() + ", offset " + std::to_string(offset) + ": " + what +
                  "; the map task must run again");
}

template <class Layout>
Result<Layout> ReadLayout(const SegmentBytes& bytes, std::uint64_t offset) {
  char scratch[sizeof(Layout)];
  SPILLWAY_ASSIGN_OR_RETURN(const std::string_view at,
                            bytes.ReadAt(offset, sizeof(Layout), scratch));
  Layout layout;
  std::memcpy(&layout, at.data(), sizeof layout);
  return layout;
}

Result<SegmentFooter> ReadFooter(const SegmentBytes& bytes, const SegmentId& expected) {
  const std::uint64_t size = bytes.size();
  if (size < sizeof(SegmentHeader) + sizeof(SegmentFooter))
    return Damaged(bytes, 0, "only " + std::to_string(size) + " bytes: the segment is cut off");
  const std::uint64_t offset = size - sizeof(SegmentFooter);
  SPILLWAY_ASSIGN_OR_RETURN(const SegmentFooter footer, ReadLayout<SegmentFooter>(bytes, offset));
  if (footer.magic != kSegmentEndMagic)
    return Damaged(bytes, offset, "no segment ends here: it is cut off or overwritten");
  if (footer.footer_checksum != FooterChecksum(footer))
    return Damaged(bytes, offset, "the footer's checksum does not match");
  if (footer.version != kSegmentVersion)
    return Damaged(bytes, offset,
                   "format version " + std::to_string(footer.version) + ", but this build reads " +
                       std::to_string(kSegmentVersion));
  const SegmentId found = {footer.job, footer.map_task, footer.attempt};
  if (found != expected)
    return Damaged(
        bytes, offset,
        "foreign segment of " + PlaceName(found) + " in place of " + PlaceName(expected));
  if (footer.index_offset < sizeof(SegmentHeader) || footer.index_offset > offset ||
      footer.index_bytes != offset - footer.index_offset)
    return Damaged(bytes, offset, "the index lies outside the segment");
  return footer;
}

Status CheckHeader(const SegmentBytes& bytes, const SegmentFooter& footer) {
  SPILLWAY_ASSIGN_OR_RETURN(const SegmentHeader found, ReadLayout<SegmentHeader>(bytes, 0));
  SegmentHeader expected;
  expected.partitions = footer.partitions;
  expected.job = footer.job;
  expected.map_task = footer.map_task;
  expected.attempt = footer.attempt;
  if (BytesOf(found) != BytesOf(expected))
    return Damaged(bytes, 0, "the header contradicts the footer");
  return OkStatus();
}

Result<SegmentIndex> ReadIndex(const SegmentBytes& bytes, const SegmentFooter& footer) {
  std::unique_ptr<char[]> scratch;
  std::string_view index = bytes.View(footer.index_offset, footer.index_bytes);
  if (index.empty()) {
    scratch = std::make_unique_for_overwrite<char[]>(footer.index_bytes);
    SPILLWAY_ASSIGN_OR_RETURN(index,
                              bytes.ReadAt(footer.index_offset, footer.index_bytes, scratch.get()));
  }
  if (Digest(index) != footer.index_checksum)
    return Damaged(bytes, footer.index_offset, "the index's checksum does not match");
  auto parsed = SegmentIndex::Parse(index, {.runs = footer.runs,
                                            .partitions = footer.partitions,
                                            .blocks = footer.blocks,
                                            .blocks_offset = sizeof(SegmentHeader),
                                            .blocks_end = footer.index_offset});
  if (!parsed.ok()) return Damaged(bytes, footer.index_offset, parsed.status().message());
  return parsed;
}

}  // namespace

struct SegmentReader::State {
  std::shared_ptr<SegmentBytes> bytes;
  SegmentId id;
  std::uint32_t runs = 0;
  std::uint32_t partitions = 0;
  SegmentIndex index;
};

SegmentReader::SegmentReader() = default;
SegmentReader::~SegmentReader() = default;

Result<std::shared_ptr<const SegmentReader>> SegmentReader::Open(
    std::shared_ptr<SegmentBytes> bytes, const SegmentId& expected) {
  SPILLWAY_ASSIGN_OR_RETURN(const SegmentFooter footer, ReadFooter(*bytes, expected));
  SPILLWAY_RETURN_IF_ERROR(CheckHeader(*bytes, footer));
  SPILLWAY_ASSIGN_OR_RETURN(SegmentIndex index, ReadIndex(*bytes, footer));
  std::shared_ptr<SegmentReader> reader(new SegmentReader());
  reader->state_ = std::make_unique<State>(
      State{std::move(bytes), expected, footer.runs, footer.partitions, std::move(index)});
  return std::shared_ptr<const SegmentReader>(std::move(reader));
}

std::uint32_t SegmentReader::runs() const { return state_->runs; }
std::uint32_t SegmentReader::partitions() const { return state_->partitions; }
const SegmentId& SegmentReader::id() const { return state_->id; }

const Extent& SegmentReader::extent(std::uint32_t run, std::uint32_t partition) const {
  return state_->index.extent(run, partition);
}

RunExtents SegmentReader::extents(std::uint32_t run, const PartitionRange& partitions) const {
  return state_->index.extents(run, partitions);
}

std::unique_ptr<BlockSource> SegmentReader::OpenRun(std::uint32_t run, std::uint32_t partition,
                                                    MemoryBudget& budget,
                                                    const OpenOptions& options) const {
  const Extent& found = extent(run, partition);
  const BlockPlace place = {state_->id, run, partition, found.first_block};
  return std::make_unique<RunBlocks>(*state_->bytes, found, place, budget, options);
}

}  // namespace spillway
