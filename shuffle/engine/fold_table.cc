#include "shuffle/engine/fold_table.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "mapreduce/base/check.h"

namespace spillway {
namespace {

// Slots in use, at most: above, probing gets long; and spare() needs the third part free.
constexpr std::uint64_t kLoadNumerator = 5;
constexpr std::uint64_t kLoadDenominator = 8;

// 128 KiB: lies in the second cache, and costs a small job nothing.
constexpr std::uint64_t kSlotsFirst = 4096;

// Up to 512 KiB of slots grow when half are used: the result still lies in the second cache, and
// what the loop then loses are mispredicted collisions. Larger tables lose more to cache misses.
constexpr std::uint64_t kSlotsRoomy = 16384;

// Fewer free places than this count as full, so that kernels get batches worth their start.
constexpr std::uint64_t kRoomMin = 32;

// The part of the region that is left to the heap of an empty table; what takes more does not fit.
constexpr std::uint64_t kHeapShare = 4;

std::uint64_t LoadLimit(std::uint64_t slots) { return slots * kLoadNumerator / kLoadDenominator; }

}  // namespace

FoldTable::FoldTable(const FoldOptions& options, std::span<char> region)
    : kernel_(ChooseFoldKernel(options)),
      heap_is_shared_(options.kind == kLocateStates),
      region_(region) {
  SPILLWAY_CHECK_GE(region.size(), kRegionBytesMin);
  SPILLWAY_CHECK_EQ(reinterpret_cast<std::uintptr_t>(region.data()) % 64, 0u);
  const std::uint64_t usable = (region.size() - SPILLWAY_PADDING_BYTES) / 8 * 8;
  space_.slots = reinterpret_cast<FoldSlot*>(region.data());
  space_.slot_count = std::min(kSlotsFirst, usable / kHeapShare / sizeof(FoldSlot));
  space_.state_bytes = options.state_bytes;
  space_.combine = options.combine;
  space_.heap = heap_top_ = region.data() + usable;
  std::memset(static_cast<void*>(space_.slots), 0, space_.slot_count * sizeof(FoldSlot));
}

std::size_t FoldTable::Fold(std::span<const Record> records) {
  std::size_t done = 0;
  while (done < records.size()) {
    if (!MakeRoom()) break;
    const std::size_t count = std::min(
        {records.size() - done, kKernelRecordsMax, static_cast<std::size_t>(RoomForKeys())});
    const std::size_t taken = kernel_(space_, records.data() + done, count);
    done += taken;
    if (taken == count) continue;
    // The batch left heap for the states of all its records; a single one needs less.
    if (kernel_(space_, records.data() + done, 1) == 0) break;
    ++done;
  }
  return done;
}

std::size_t FoldTable::Locate(std::span<const Record> records, std::uint64_t** states) {
  if (!MakeRoom()) return 0;
  space_.located = states;
  return kernel_(
      space_, records.data(),
      std::min({records.size(), kKernelRecordsMax, static_cast<std::size_t>(RoomForKeys())}));
}

bool FoldTable::Fits(const Record& record) const {
  return record.key_bytes <= kFieldBytesMax && StatesFit() &&
         space_.HeapBytes(record.key_bytes) <= bytes() / kHeapShare;
}

bool FoldTable::StatesFit() const { return space_.HeapBytes(0) * kRoomMin <= bytes() / kHeapShare; }

// Keys that are sure to find a slot and, short as they may be, heap for their states.
std::uint64_t FoldTable::RoomForKeys() const {
  const std::uint64_t by_slots = LoadLimit(space_.slot_count) - space_.size;
  const std::uint64_t heap_bytes = space_.HeapBytes(0);
  return heap_bytes == 0 ? by_slots : std::min(by_slots, space_.heap_free_bytes() / heap_bytes);
}

bool FoldTable::MakeRoom() {
  if (space_.slot_count <= kSlotsRoomy && space_.size > space_.slot_count / 2) Grow();
  return RoomForKeys() >= kRoomMin || Grow();
}

// The number of slots that leaves the heap its share, as the entries so far let expect. Where the
// heap grows without new entries too, as much of what is free may become slots as stays free.
std::uint64_t FoldTable::SlotsToAfford() const {
  const auto heap_bytes = static_cast<std::uint64_t>(heap_top_ - space_.heap);
  const double heap_per_slot = space_.size == 0
                                   ? 0.0
                                   : static_cast<double>(heap_bytes) * kLoadNumerator /
                                         kLoadDenominator / static_cast<double>(space_.size);
  const auto by_heap =
      static_cast<std::uint64_t>(static_cast<double>(bytes()) / (sizeof(FoldSlot) + heap_per_slot));
  const std::uint64_t by_half =
      heap_is_shared_ ? space_.slot_count + space_.heap_free_bytes() / 2 / sizeof(FoldSlot) : 0;
  return std::min(std::max(by_heap, by_half), (bytes() - heap_bytes) / sizeof(FoldSlot));
}

bool FoldTable::Grow() {
  const std::uint64_t slot_count = std::min(space_.slot_count * 2, SlotsToAfford());
  // A last step that is too small costs more than it gives.
  if (slot_count < space_.slot_count + space_.slot_count / 8) return false;
  if (LoadLimit(slot_count) < space_.size + kRoomMin) return false;
  Spread(slot_count);
  return RoomForKeys() >= kRoomMin;
}

// Goes from the last run of used slots to the first. The slot before a run is empty, so no entry of
// the run has its home before the run; homes only move up; so each entry finds its new place in
// slots that are new or already emptied, and the table is read and written in one sweep each.
// Within a run the order stays: what came first, which frequent keys tend to do, stays near home.
void FoldTable::Spread(std::uint64_t slot_count) {
  FoldSlot* const slots = space_.slots;
  char* const old_end = reinterpret_cast<char*>(slots + space_.slot_count);
  char* const new_end = reinterpret_cast<char*>(slots + slot_count);
  std::memset(old_end, 0, static_cast<std::size_t>(new_end - old_end));

  std::vector<FoldSlot> run;
  std::vector<FoldSlot> wrapped;  // found the last slot taken; go to the first ones in the end
  for (std::uint64_t end = space_.slot_count; end > 0;) {
    std::uint64_t begin = end;
    while (begin > 0 && !slots[begin - 1].empty()) --begin;
    run.assign(slots + begin, slots + end);
    std::fill(slots + begin, slots + end, FoldSlot{});
    for (const FoldSlot& entry : run) {
      std::uint64_t to = FoldSpace::HomeOf(entry.hash(), slot_count);
      while (to < slot_count && !slots[to].empty()) ++to;
      if (to < slot_count)
        slots[to] = entry;
      else
        wrapped.push_back(entry);
    }
    end = begin == 0 ? 0 : begin - 1;
  }
  for (const FoldSlot& entry : wrapped) {
    std::uint64_t to = 0;
    while (!slots[to].empty()) ++to;
    slots[to] = entry;
  }
  space_.slot_count = slot_count;
}

std::span<FoldSlot> FoldTable::Compact() {
  FoldSlot* end = space_.slots;
  for (std::uint64_t i = 0; i < space_.slot_count; ++i) {
    // Copies empty slots too: whether a slot is empty cannot be predicted.
    const bool used = !space_.slots[i].empty();
    *end = space_.slots[i];
    end += used;
  }
  SPILLWAY_CHECK_EQ(static_cast<std::uint64_t>(end - space_.slots), space_.size);
  return {space_.slots, space_.size};
}

std::span<char> FoldTable::spare() const {
  return {reinterpret_cast<char*>(space_.slots + space_.size),
          (space_.slot_count - space_.size) * sizeof(FoldSlot)};
}

void FoldTable::Clear() {
  std::memset(static_cast<void*>(space_.slots), 0, space_.slot_count * sizeof(FoldSlot));
  space_.size = 0;
  space_.heap = heap_top_;
  // A long key must find a heap again; slots that are missed then grow back.
  const std::uint64_t heap_bytes = bytes() / kHeapShare;
  space_.slot_count = std::min(space_.slot_count, (bytes() - heap_bytes) / sizeof(FoldSlot));
}

}  // namespace spillway
