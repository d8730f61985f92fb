#include "runtime/archive/bzip2_blocks.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "mapreduce/base/units.h"

namespace spillway {

namespace {

constexpr std::uint64_t kBlockMark = 0x314159265359;
constexpr std::uint64_t kEndMark = 0x177245385090;
constexpr unsigned kMarkBits = 48;
constexpr unsigned kChecksumBits = 32;
constexpr std::uint64_t kMarkBytes = (7 + kMarkBits + kChecksumBits + 7) / 8;  // From any bit on.
constexpr std::uint64_t kHeadBytes = 4;  // "BZh" and the size of blocks.

/// Of a block, up to one mark after the other. Who puts marks into data gets no more of our time.
constexpr unsigned kTriesMax = 5;

/// Behind the window, for reads of eight bytes at its last one.
constexpr std::uint64_t kPadBytes = 8;

/// Whether a byte can be the third one of eight that have a mark, which begins in the first.
constexpr std::array<bool, 256> MakeThirdBytes() {
  std::array<bool, 256> may{};
  for (const std::uint64_t mark : {kBlockMark, kEndMark})
    for (unsigned shift = 0; shift < 8; ++shift) may[mark >> (24 + shift) & 0xff] = true;
  return may;
}
constexpr std::array<bool, 256> kThirdBytes = MakeThirdBytes();

std::uint64_t LoadBigEndian(const char* from) {
  std::uint64_t value;
  std::memcpy(&value, from, sizeof value);
  return __builtin_bswap64(value);
}

/// The stream's checksum with one more block.
std::uint32_t Combined(std::uint32_t stream, std::uint32_t block) {
  return (stream << 1 | stream >> 31) ^ block;
}

}  // namespace

Bzip2Blocks::Bzip2Blocks(const ReadableFile& file, ArchiveSource source, MemoryBudget& memory)
    : ArchiveText(file, std::move(source), memory) {}

Bzip2Blocks::~Bzip2Blocks() {
  if (decoder_open_) ::BZ2_bzDecompressEnd(&decoder_);
}

Result<bool> Bzip2Blocks::Open() {
  SPILLWAY_ASSIGN_OR_RETURN(window_, Buffer::AllocateForced(memory_, kWindowBytes + kPadBytes));
  SPILLWAY_RETURN_IF_ERROR(Reserve(kMemoryBytes, kWindowBytes));
  if (source_.begin == 0) {
    SPILLWAY_RETURN_IF_ERROR(BeginStream(0));
    return true;
  }
  SPILLWAY_ASSIGN_OR_RETURN(const auto block, FindBlock(source_.begin, source_.end));
  if (!block.has_value()) return false;
  at_ = *block;
  first_byte_ = at_ / 8;
  return true;
}

Result<std::uint64_t> Bzip2Blocks::Read(std::uint64_t bytes, char* to) {
  std::uint64_t done = 0;
  while (done < bytes && !ended_) {
    if (step_ == Step::kMark) {
      const bool left = left_range_;
      SPILLWAY_RETURN_IF_ERROR(PassMark());
      if (left_range_ && !left) break;
      continue;
    }
    SPILLWAY_ASSIGN_OR_RETURN(const std::uint64_t got, DecodeBlock(bytes - done, to + done));
    done += got;
    text_bytes_ += got;
  }
  return done;
}

// --- From mark to mark.

Status Bzip2Blocks::BeginStream(std::uint64_t byte) {
  at_ = byte * 8;
  SPILLWAY_RETURN_IF_ERROR(ShowFrom(byte));
  const std::string_view head(window_.data(), std::min(window_bytes_, kHeadBytes));
  if (!MemberMemoryBytes(ArchiveKind::kBzip2, head).has_value())
    return Bad("there is something else than an archive of bzip2: '" + EscapeForLog(head, 16) +
               "'; get the file again, or cut it off");
  at_ += kHeadBytes * 8;
  stream_checksum_ = 0;
  return OkStatus();
}

Status Bzip2Blocks::PassMark() {
  if (at_ + kMarkBits + kChecksumBits > source_.file_bytes * 8) return Truncated();
  if (at_ / 8 + kMarkBytes > window_end()) SPILLWAY_RETURN_IF_ERROR(ShowFrom(at_ / 8));
  const std::uint64_t mark = Bits(at_, kMarkBits);
  if (mark == kEndMark) return EndStream();
  if (mark != kBlockMark) return Damaged("a block does not begin as blocks do");
  if (!left_range_ && at_ >= std::min(source_.end, source_.file_bytes) * 8) return LeaveRange();
  return BeginBlock();
}

Status Bzip2Blocks::EndStream() {
  const auto checksum = static_cast<std::uint32_t>(Bits(at_ + kMarkBits, kChecksumBits));
  if (stream_checksum_.has_value() && *stream_checksum_ != checksum)
    return Damaged("incorrect data check");
  const std::uint64_t byte = (at_ + kMarkBits + kChecksumBits + 7) / 8;
  if (byte < source_.file_bytes) return BeginStream(byte);
  at_ = byte * 8;
  ended_ = true;
  return OkStatus();
}

/// The next range begins with the first mark in it, which must be this one: see above.
Status Bzip2Blocks::LeaveRange() {
  left_range_ = true;
  const std::uint64_t mark = at_;
  SPILLWAY_ASSIGN_OR_RETURN(const auto first, FindBlock(source_.end, mark / 8 + 1));
  SPILLWAY_RETURN_IF_ERROR(ShowFrom(mark / 8));
  if (first == mark) return OkStatus();
  return Bad(std::string("the archive cannot be split here, because data looks like the beginning "
                         "of a block; ") +
             kUnsplitAdvice);
}

// --- A block.

Status Bzip2Blocks::BeginBlock() {
  SPILLWAY_RETURN_IF_ERROR(ShowFrom(at_ / 8));
  next_ = at_ + kMarkBits;
  tries_ = 0;
  SPILLWAY_ASSIGN_OR_RETURN(const bool ends, ExtendBlock());
  if (ends) return OkStatus();
  if (window_end() == source_.file_bytes) return Truncated();
  return Damaged("a block is longer than blocks are");
}

/// Up to the next mark behind, from its beginning on. False: there is none, or so many are no
/// chance.
Result<bool> Bzip2Blocks::ExtendBlock() {
  if (++tries_ > kTriesMax) return false;
  const auto mark = FindMark(next_ + 1, true);
  if (!mark.has_value()) return false;
  next_ = *mark;
  if (!StartDecoder()) return NoMemory();
  step_ = Step::kBlock;
  return true;
}

bool Bzip2Blocks::StartDecoder() {
  if (decoder_open_) ::BZ2_bzDecompressEnd(&decoder_);
  decoder_ = {};
  decoder_open_ = ::BZ2_bzDecompressInit(&decoder_, 0, 0) == BZ_OK;
  constexpr std::string_view kHead = "BZh9";  // Blocks of any size.
  std::memcpy(feed_, kHead.data(), kHead.size());
  decoder_.next_in = feed_;
  decoder_.avail_in = kHead.size();
  fed_bits_ = 0;
  fed_tail_ = gave_text_ = false;
  return decoder_open_;
}

Result<std::uint64_t> Bzip2Blocks::DecodeBlock(std::uint64_t bytes, char* to) {
  const auto room = static_cast<unsigned>(std::min<std::uint64_t>(bytes, 1 << 30));
  decoder_.next_out = to;
  decoder_.avail_out = room;
  while (true) {
    const int answer = ::BZ2_bzDecompress(&decoder_);
    const std::uint64_t made = room - decoder_.avail_out;
    gave_text_ = gave_text_ || made > 0;
    if (answer == BZ_STREAM_END) {
      EndBlock();
      return made;
    }
    if (answer == BZ_MEM_ERROR) return NoMemory();
    if (answer == BZ_OK && decoder_.avail_out == 0) return made;
    if (answer == BZ_OK && decoder_.avail_in == 0 && Feed()) continue;
    // Perhaps its data has what looks like a mark: then it goes on to the one behind.
    if (!gave_text_) {
      SPILLWAY_ASSIGN_OR_RETURN(const bool longer, ExtendBlock());
      if (longer) return made;
    }
    return Damaged("incorrect data check");
  }
}

/// More of the block for the decoder, and at last an end of the stream. False: that was all.
bool Bzip2Blocks::Feed() {
  const std::uint64_t block_bits = next_ - at_;
  std::size_t bytes = 0;
  while (bytes < sizeof feed_ && fed_bits_ + 8 <= block_bits) {
    feed_[bytes++] = static_cast<char>(Bits(at_ + fed_bits_, 8));
    fed_bits_ += 8;
  }
  if (bytes == 0) {
    if (fed_tail_) return false;
    fed_tail_ = true;
    // What is left of the last byte, the mark, and the block's checksum as that of the stream.
    unsigned written = 0;
    const auto put = [&](std::uint64_t bits, unsigned count) {
      for (unsigned i = count; i-- > 0; ++written) {
        if (written % 8 == 0) feed_[bytes++] = 0;
        feed_[bytes - 1] = static_cast<char>(feed_[bytes - 1] << 1 | (bits >> i & 1));
      }
    };
    const auto rest = static_cast<unsigned>(block_bits - fed_bits_);
    if (rest > 0) put(Bits(at_ + fed_bits_, rest), rest);
    put(kEndMark, kMarkBits);
    put(Bits(at_ + kMarkBits, kChecksumBits), kChecksumBits);
    while (written % 8 != 0) put(0, 1);
  }
  decoder_.next_in = feed_;
  decoder_.avail_in = static_cast<unsigned>(bytes);
  return true;
}

void Bzip2Blocks::EndBlock() {
  if (stream_checksum_.has_value())
    stream_checksum_ = Combined(*stream_checksum_,
                                static_cast<std::uint32_t>(Bits(at_ + kMarkBits, kChecksumBits)));
  at_ = next_;
  step_ = Step::kMark;
}

// --- The window.

/// Makes the window begin at that byte of the file and hold as much as it can.
Status Bzip2Blocks::ShowFrom(std::uint64_t byte) {
  const std::uint64_t kept = byte >= window_begin_ && byte < window_end() ? window_end() - byte : 0;
  std::memmove(window_.data(), window_.data() + (window_bytes_ - kept), kept);
  window_begin_ = byte;
  window_bytes_ = kept;
  const std::uint64_t place = window_end();
  const std::uint64_t want =
      place >= source_.file_bytes ? 0 : std::min(kWindowBytes - kept, source_.file_bytes - place);
  SPILLWAY_ASSIGN_OR_RETURN(const std::uint64_t got,
                            file_.ReadAt(place, want, window_.data() + kept));
  window_bytes_ += got;
  std::memset(window_.data() + window_bytes_, 0, kPadBytes);
  if (got < want) return BecameShorter();
  return OkStatus();
}

/// The bit of the first block's mark that begins in these bytes of the file.
Result<std::optional<std::uint64_t>> Bzip2Blocks::FindBlock(std::uint64_t from_byte,
                                                            std::uint64_t to_byte) {
  const std::uint64_t to = std::min(to_byte, source_.file_bytes);
  // A mark may reach beyond the window's end.
  for (std::uint64_t byte = from_byte; byte < to; byte = window_end() - kPadBytes) {
    SPILLWAY_RETURN_IF_ERROR(ShowFrom(byte));
    const auto mark = FindMark(byte * 8, false);
    if (mark.has_value()) return *mark < to * 8 ? mark : std::nullopt;
    if (window_end() == source_.file_bytes) break;
  }
  return std::optional<std::uint64_t>();
}

/// The first mark in the window from that bit on, of a block or, if wanted, of a stream's end.
std::optional<std::uint64_t> Bzip2Blocks::FindMark(std::uint64_t from_bit, bool ends_too) const {
  const std::uint64_t end_bit = window_end() * 8;
  for (std::uint64_t byte = from_bit / 8; byte < window_end(); ++byte) {
    const char* const at = window_.data() + (byte - window_begin_);
    if (!kThirdBytes[static_cast<unsigned char>(at[2])]) continue;
    const std::uint64_t bits = LoadBigEndian(at);
    for (unsigned shift = 0; shift < 8; ++shift) {
      const std::uint64_t mark = bits << shift >> (64 - kMarkBits);
      const std::uint64_t bit = byte * 8 + shift;
      if (mark != kBlockMark && (mark != kEndMark || !ends_too)) continue;
      if (bit >= from_bit && bit + kMarkBits <= end_bit) return bit;
    }
  }
  return std::nullopt;
}

/// Up to 56 bits of the window.
std::uint64_t Bzip2Blocks::Bits(std::uint64_t bit, unsigned count) const {
  const std::uint64_t bits = LoadBigEndian(window_.data() + (bit / 8 - window_begin_));
  return bits << bit % 8 >> (64 - count);
}

}  // namespace spillway
