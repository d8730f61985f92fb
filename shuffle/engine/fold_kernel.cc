// Why this is fast, and what to keep when changing it:
//
// - Records go through in groups, in two steps: the keys of a group are loaded and hashed and their
//   slots prefetched; then the group before it is probed. So cache misses overlap each other and
//   the work, where one lookup after the other would wait for each.
// - A key of up to 16 bytes is one masked register load whatever its length, one register compare
//   and, when new, one register store: nothing branches on the length. The load may read behind the
//   key, into the padding that the ABI promises.
// - The loop itself looks at a key's home only; frequent keys live there (see FoldTable's growth).
// - The tag (hash and length in one word) is compared before the key, so the key compare is a
//   branch that hardly ever fails.
// - Two AES rounds make every output bit depend on every key byte, for three instructions.
//
// The code below is compiled once per instruction set (Highway's foreach_target); HWY_ATTR marks
// the functions that use its vectors.
#include "shuffle/engine/fold_kernel.h"

#include <algorithm>
#include <cstring>

#include "mapreduce/base/check.h"
#include "shuffle/engine/key_hash.h"

// Three are enough on x86-64: plain, AVX2 with AES, AVX-512.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "shuffle/engine/fold_kernel.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace spillway::HWY_NAMESPACE {
namespace {

// Enough misses in flight to hide memory, few enough that prefetched lines stay in the first cache.
constexpr std::size_t kGroupRecords = 16;

#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128

// A key of at most 16 bytes, zero-padded.
class ShortKey {
 public:
  static ShortKey Of(const Record& record) {
    ShortKey key;
    const std::uint32_t bytes = record.key_bytes;
    key.low_ = LoadLittle<std::uint64_t>(record.key) & LowBytes(std::min(bytes, 8u));
    key.high_ = LoadLittle<std::uint64_t>(record.key + 8) & LowBytes(bytes - std::min(bytes, 8u));
    return key;
  }
  static ShortKey At(const char* stored) {
    ShortKey key;
    key.low_ = LoadLittle<std::uint64_t>(stored);
    key.high_ = LoadLittle<std::uint64_t>(stored + 8);
    return key;
  }
  void StoreTo(char* to) const { StoreLittle(StoreLittle(to, low_), high_); }
  std::uint32_t Hash() const { return HashHalves(low_, high_); }
  bool operator==(const ShortKey&) const = default;

 private:
  // The lowest `bytes` bytes of a word, 0 to 8 of them.
  static std::uint64_t LowBytes(std::uint32_t bytes) {
    return bytes == 0 ? 0 : ~std::uint64_t{0} >> (64 - 8 * bytes);
  }
  std::uint64_t low_ = 0;
  std::uint64_t high_ = 0;
};

#else

namespace hn = hwy::HWY_NAMESPACE;

// A key of at most 16 bytes, zero-padded, in one register.
class ShortKey {
 public:
  HWY_ATTR HWY_INLINE static ShortKey Of(const Record& record) {
    const auto from = reinterpret_cast<const std::uint8_t*>(record.key);
    return ShortKey(hn::MaskedLoad(hn::FirstN(Bytes(), record.key_bytes), Bytes(), from));
  }
  HWY_ATTR HWY_INLINE static ShortKey At(const char* stored) {
    return ShortKey(hn::Load(Bytes(), reinterpret_cast<const std::uint8_t*>(stored)));
  }
  HWY_ATTR HWY_INLINE void StoreTo(char* to) const {
    hn::Store(bytes_, Bytes(), reinterpret_cast<std::uint8_t*>(to));
  }
  HWY_ATTR HWY_INLINE std::uint32_t Hash() const {
    alignas(16) static constexpr std::uint64_t kRoundKeys[4] = {
        0x243f'6a88'85a3'08d3u, 0x1319'8a2e'0370'7344u, 0xa409'3822'299f'31d0u,
        0x082e'fa98'ec4e'6c89u};  // Digits of pi.
    const auto first = hn::BitCast(Bytes(), hn::Load(Halves(), kRoundKeys));
    const auto second = hn::BitCast(Bytes(), hn::Load(Halves(), kRoundKeys + 2));
    const auto mixed = hn::AESRound(hn::AESRound(bytes_, first), second);
    return static_cast<std::uint32_t>(hn::GetLane(hn::BitCast(Halves(), mixed)));
  }
  HWY_ATTR HWY_INLINE bool operator==(const ShortKey& other) const {
    return hn::AllTrue(Bytes(), hn::Eq(bytes_, other.bytes_));
  }

 private:
  using Bytes = hn::FixedTag<std::uint8_t, kInlineKeyBytes>;
  using Halves = hn::FixedTag<std::uint64_t, 2>;

  HWY_ATTR HWY_INLINE explicit ShortKey(hn::Vec<Bytes> bytes) : bytes_(bytes) {}

  hn::Vec<Bytes> bytes_;
};

#endif

// A group of records, hashed and on its way into the cache.
struct Group {
  alignas(16) char keys[kGroupRecords][kInlineKeyBytes];
  FoldSlot* homes[kGroupRecords];
  std::uint64_t tags[kGroupRecords];

  HWY_ATTR HWY_INLINE void Prepare(const FoldSpace& space, const Record* records,
                                   std::size_t count) {
    FoldSlot* const slots = space.slots;
    const std::uint64_t slot_count = space.slot_count;
    for (std::size_t i = 0; i < count; ++i) {
      const Record& record = records[i];
      std::uint32_t hash;
      if (record.key_bytes <= kInlineKeyBytes) [[likely]] {
        const ShortKey key = ShortKey::Of(record);
        key.StoreTo(keys[i]);
        hash = key.Hash();
      } else {
        // Never equal to a slot's key, which ends with an address.
        std::memcpy(keys[i], record.key, 8);
        std::memset(keys[i] + 8, 0, 8);
        hash = HashBytes(record.key, record.key_bytes);
      }
      homes[i] = slots + FoldSpace::HomeOf(hash, slot_count);
      tags[i] = FoldSlot::MakeTag(hash, record.key_bytes);
      __builtin_prefetch(homes[i], 1);
    }
  }
};

HWY_ATTR HWY_INLINE bool Holds(const FoldSlot& slot, std::uint64_t tag, const char* key) {
  return slot.tag == tag && ShortKey::At(slot.key) == ShortKey::At(key);
}

FoldSlot* Next(const FoldSpace& space, FoldSlot* slot) {
  return slot + 1 == space.slots + space.slot_count ? space.slots : slot + 1;
}

// From the home of a short key on: the slot that holds it, or the empty slot where it belongs.
HWY_ATTR HWY_NOINLINE FoldSlot* FindShort(const FoldSpace& space, const char* key, FoldSlot* slot,
                                          std::uint64_t tag) {
  while (!slot->empty() && !Holds(*slot, tag, key)) slot = Next(space, slot);
  return slot;
}

// The same for a long key.
HWY_NOINLINE FoldSlot* FindLong(const FoldSpace& space, const Record& record, FoldSlot* slot,
                                std::uint64_t tag) {
  while (!slot->empty() && !(slot->tag == tag && std::memcmp(slot->key, record.key, 8) == 0 &&
                             std::memcmp(slot->key_data(), record.key, record.key_bytes) == 0))
    slot = Next(space, slot);
  return slot;
}

// The fold kinds: Meet() is a record whose key is known, Enter() one whose key was just inserted.
template <class Operation>
struct BuiltIn {
  HWY_INLINE void Enter(const FoldSpace&, FoldSlot*) {}
  HWY_INLINE void Meet(const FoldSpace&, FoldSlot* slot, const Record& record) {
    slot->state = Operation::Fold(slot->state, InlineState(record));
  }
  void Finish(const FoldSpace&) {}
};

struct Sum {
  static std::uint64_t Fold(std::uint64_t a, std::uint64_t b) { return a + b; }
};
template <class T>
struct Min {
  static std::uint64_t Fold(std::uint64_t a, std::uint64_t b) {
    return static_cast<std::uint64_t>(std::min(static_cast<T>(a), static_cast<T>(b)));
  }
};
template <class T>
struct Max {
  static std::uint64_t Fold(std::uint64_t a, std::uint64_t b) {
    return static_cast<std::uint64_t>(std::max(static_cast<T>(a), static_cast<T>(b)));
  }
};

// The plugin's own operation is one call per batch. States do not move before Finish.
struct Custom {
  void* states[kKernelRecordsMax];
  const void* values[kKernelRecordsMax];
  std::size_t count = 0;

  HWY_INLINE void Enter(const FoldSpace&, FoldSlot*) {}
  HWY_INLINE void Meet(const FoldSpace& space, FoldSlot* slot, const Record& record) {
    states[count] = const_cast<char*>(slot->state_data(space.state_bytes));
    values[count] = StateData(record, space.state_bytes);
    ++count;
  }
  void Finish(const FoldSpace& space) {
    if (count != 0) space.combine(states, values, count);
  }
};

// The caller works on the states itself.
struct Locate {
  std::size_t count = 0;

  HWY_INLINE void Enter(const FoldSpace& space, FoldSlot* slot) {
    slot->state = 0;
    space.located[count++] = &slot->state;
  }
  HWY_INLINE void Meet(const FoldSpace& space, FoldSlot* slot, const Record&) {
    space.located[count++] = &slot->state;
  }
  void Finish(const FoldSpace&) {}
};

// True when the table has no room for the record, a new long key.
bool LacksHeap(const FoldSpace& space, const Record& record, std::size_t records_behind) {
  return record.key_bytes > kInlineKeyBytes &&
         space.heap_free_bytes() <
             space.HeapBytes(record.key_bytes) + records_behind * space.HeapBytes(0);
}

template <class Kind>
HWY_ATTR std::size_t FoldRecords(FoldSpace& space, const Record* records, std::size_t count) {
  SPILLWAY_DCHECK(count <= kKernelRecordsMax);
  Kind kind;
  Group groups[2];
  std::size_t done = 0;
  std::size_t ahead = 0;  // Records prepared.
  for (std::size_t turn = 0; done < count; ++turn) {
    const std::size_t in_next = std::min(kGroupRecords, count - ahead);
    groups[turn % 2].Prepare(space, records + ahead, in_next);
    const Group& group = groups[(turn + 1) % 2];
    for (std::size_t i = 0; done < ahead; ++i, ++done) {
      const Record& record = records[done];
      FoldSlot* slot = group.homes[i];
      const std::uint64_t tag = group.tags[i];
      if (Holds(*slot, tag, group.keys[i])) [[likely]] {
        kind.Meet(space, slot, record);
        continue;
      }
      slot = record.key_bytes <= kInlineKeyBytes ? FindShort(space, group.keys[i], slot, tag)
                                                 : FindLong(space, record, slot, tag);
      if (!slot->empty()) {
        kind.Meet(space, slot, record);
        continue;
      }
      if (LacksHeap(space, record, count - done - 1)) {
        kind.Finish(space);
        return done;
      }
      space.Insert(slot, tag, record, group.keys[i]);
      kind.Enter(space, slot);
    }
    ahead += in_next;
  }
  kind.Finish(space);
  return count;
}

FoldKernel KernelOf(std::uint32_t kind) {
  switch (kind) {
    case SPILLWAY_FOLD_CUSTOM: return &FoldRecords<Custom>;
    case SPILLWAY_FOLD_SUM_U64: return &FoldRecords<BuiltIn<Sum>>;
    case SPILLWAY_FOLD_MIN_U64: return &FoldRecords<BuiltIn<Min<std::uint64_t>>>;
    case SPILLWAY_FOLD_MAX_U64: return &FoldRecords<BuiltIn<Max<std::uint64_t>>>;
    case SPILLWAY_FOLD_MIN_I64: return &FoldRecords<BuiltIn<Min<std::int64_t>>>;
    case SPILLWAY_FOLD_MAX_I64: return &FoldRecords<BuiltIn<Max<std::int64_t>>>;
    case kLocateStates: return &FoldRecords<Locate>;
    default: return nullptr;
  }
}

}  // namespace
}  // namespace spillway::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace spillway {

HWY_EXPORT(KernelOf);

void FoldSpace::Insert(FoldSlot* slot, std::uint64_t tag, const Record& record,
                       const void* inline_key) {
  if (record.key_bytes <= kInlineKeyBytes) {
    std::memcpy(slot->key, inline_key, kInlineKeyBytes);
  } else {
    heap -= HeapBytes(record.key_bytes) - HeapBytes(0);
    std::memcpy(heap, record.key, record.key_bytes);
    std::memcpy(slot->key, record.key, 8);
    StoreLittle(slot->key + 8, heap);
  }
  if (state_bytes == kInlineStateBytes) {
    slot->state = InlineState(record);
  } else {
    heap -= state_bytes;
    std::memcpy(heap, record.value, state_bytes);
    slot->state = reinterpret_cast<std::uint64_t>(heap);
  }
  slot->tag = tag;
  ++size;
}

FoldKernel ChooseFoldKernel(const FoldOptions& options) {
  SPILLWAY_CHECK_GT(options.state_bytes, 0u);
  SPILLWAY_CHECK_EQ(options.state_bytes % 8, 0u);
  SPILLWAY_CHECK(options.state_bytes == kInlineStateBytes || options.kind == SPILLWAY_FOLD_CUSTOM);
  SPILLWAY_CHECK((options.combine != nullptr) == (options.kind == SPILLWAY_FOLD_CUSTOM));
  const FoldKernel kernel = options.portable ? HWY_STATIC_DISPATCH(KernelOf)(options.kind)
                                             : HWY_DYNAMIC_DISPATCH(KernelOf)(options.kind);
  SPILLWAY_CHECK(kernel != nullptr);
  return kernel;
}

}  // namespace spillway
#endif  // HWY_ONCE
