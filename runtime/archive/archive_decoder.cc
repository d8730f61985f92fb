#include "runtime/archive/archive_decoder.h"

#include <bzlib.h>
#include <lz4frame.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <string_view>

#include "mapreduce/base/check.h"

namespace spillway {

namespace {

using Progress = ArchiveDecoder::Progress;

/// zlib and bzip2 count in 32 bits.
unsigned Piece(std::size_t bytes) {
  return static_cast<unsigned>(std::min<std::size_t>(bytes, std::size_t{1} << 30));
}

/// Moves the window on by what was used.
void Advance(DecoderWindow* window, std::size_t in, std::size_t out) {
  window->in += in;
  window->in_bytes -= in;
  window->out += out;
  window->out_bytes -= out;
}

class GzipDecoder final : public ArchiveDecoder {
 public:
  ~GzipDecoder() override {
    if (open_) ::inflateEnd(&stream_);
  }

  bool Begin() override {
    constexpr int kGzipOnly = 16;  // Added to the window's bits.
    if (open_) return ::inflateReset(&stream_) == Z_OK;
    open_ = ::inflateInit2(&stream_, MAX_WBITS + kGzipOnly) == Z_OK;
    return open_;
  }

  Progress Decode(DecoderWindow* window) override {
    const unsigned in = Piece(window->in_bytes);
    const unsigned out = Piece(window->out_bytes);
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(window->in));
    stream_.avail_in = in;
    stream_.next_out = reinterpret_cast<Bytef*>(window->out);
    stream_.avail_out = out;
    const int answer = ::inflate(&stream_, Z_NO_FLUSH);
    Advance(window, in - stream_.avail_in, out - stream_.avail_out);
    switch (answer) {
      case Z_OK:
      case Z_BUF_ERROR: return Progress::kMore;
      case Z_STREAM_END: return Progress::kMemberEnd;
      case Z_MEM_ERROR: return Progress::kNoMemory;
      default: return Damaged(stream_.msg != nullptr ? stream_.msg : "the data cannot be decoded");
    }
  }

 private:
  z_stream stream_{};
  bool open_ = false;
};

class Bzip2Decoder final : public ArchiveDecoder {
 public:
  ~Bzip2Decoder() override { Close(); }

  bool Begin() override {
    Close();
    stream_ = {};
    open_ = ::BZ2_bzDecompressInit(&stream_, 0, 0) == BZ_OK;
    return open_;
  }

  Progress Decode(DecoderWindow* window) override {
    const unsigned in = Piece(window->in_bytes);
    const unsigned out = Piece(window->out_bytes);
    stream_.next_in = const_cast<char*>(window->in);
    stream_.avail_in = in;
    stream_.next_out = window->out;
    stream_.avail_out = out;
    const int answer = ::BZ2_bzDecompress(&stream_);
    Advance(window, in - stream_.avail_in, out - stream_.avail_out);
    switch (answer) {
      case BZ_OK: return Progress::kMore;
      case BZ_STREAM_END: return Progress::kMemberEnd;
      case BZ_MEM_ERROR: return Progress::kNoMemory;
      case BZ_DATA_ERROR_MAGIC: return Damaged("a block does not begin as blocks do");
      default: return Damaged("incorrect data check");
    }
  }

 private:
  void Close() {
    if (open_) ::BZ2_bzDecompressEnd(&stream_);
    open_ = false;
  }

  bz_stream stream_{};
  bool open_ = false;
};

class ZstdDecoder final : public ArchiveDecoder {
 public:
  ZstdDecoder() : context_(::ZSTD_createDCtx()) {
    // The memory that a window may take is the stream's to decide, before it is taken.
    if (context_ != nullptr)
      ::ZSTD_DCtx_setParameter(context_, ZSTD_d_windowLogMax,
                               ::ZSTD_dParam_getBounds(ZSTD_d_windowLogMax).upperBound);
  }
  ~ZstdDecoder() override { ::ZSTD_freeDCtx(context_); }

  bool Begin() override { return context_ != nullptr; }

  Progress Decode(DecoderWindow* window) override {
    ZSTD_inBuffer in{window->in, window->in_bytes, 0};
    ZSTD_outBuffer out{window->out, window->out_bytes, 0};
    const std::size_t answer = ::ZSTD_decompressStream(context_, &out, &in);
    Advance(window, in.pos, out.pos);
    if (answer == 0) return Progress::kMemberEnd;
    if (::ZSTD_isError(answer) == 0) return Progress::kMore;
    if (::ZSTD_getErrorCode(answer) == ZSTD_error_memory_allocation) return Progress::kNoMemory;
    return Damaged(::ZSTD_getErrorName(answer));
  }

 private:
  ZSTD_DCtx* const context_;
};

class Lz4Decoder final : public ArchiveDecoder {
 public:
  Lz4Decoder() {
    if (::LZ4F_isError(::LZ4F_createDecompressionContext(&context_, LZ4F_VERSION)) != 0)
      context_ = nullptr;
  }
  ~Lz4Decoder() override { ::LZ4F_freeDecompressionContext(context_); }

  bool Begin() override {
    if (context_ != nullptr) ::LZ4F_resetDecompressionContext(context_);
    return context_ != nullptr;
  }

  Progress Decode(DecoderWindow* window) override {
    std::size_t in = window->in_bytes;
    std::size_t out = window->out_bytes;
    const std::size_t answer =
        ::LZ4F_decompress(context_, window->out, &out, window->in, &in, nullptr);
    if (::LZ4F_isError(answer) != 0) {
      const char* const name = ::LZ4F_getErrorName(answer);
      return std::string_view(name).ends_with("allocation_failed") ? Progress::kNoMemory
                                                                   : Damaged(name);
    }
    Advance(window, in, out);
    return answer == 0 ? Progress::kMemberEnd : Progress::kMore;
  }

 private:
  LZ4F_dctx* context_ = nullptr;
};

}  // namespace

std::unique_ptr<ArchiveDecoder> MakeArchiveDecoder(ArchiveKind kind) {
  switch (kind) {
    case ArchiveKind::kNone: break;
    case ArchiveKind::kGzip: return std::make_unique<GzipDecoder>();
    case ArchiveKind::kBzip2: return std::make_unique<Bzip2Decoder>();
    case ArchiveKind::kZstd: return std::make_unique<ZstdDecoder>();
    case ArchiveKind::kLz4: return std::make_unique<Lz4Decoder>();
  }
  SPILLWAY_CHECK(false && "a file that is no archive has no decoder");
  return nullptr;
}

}  // namespace spillway
