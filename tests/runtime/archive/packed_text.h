// Archives for tests, made by the libraries that the reference tools are made of.
#pragma once

#include <bzlib.h>
#include <lz4frame.h>
#include <zlib.h>
#include <zstd.h>

#include <string>
#include <string_view>

#include "mapreduce/base/check.h"
#include "runtime/archive/archive_kind.h"

namespace spillway {

inline constexpr ArchiveKind kArchiveKinds[] = {ArchiveKind::kGzip, ArchiveKind::kBzip2,
                                                ArchiveKind::kZstd, ArchiveKind::kLz4};

/// One member that holds `text`, with checksums.
inline std::string Packed(ArchiveKind kind, std::string_view text) {
  std::string packed(text.size() + text.size() / 8 + (1 << 16), '\0');
  std::size_t bytes = 0;
  switch (kind) {
    case ArchiveKind::kNone: return std::string(text);
    case ArchiveKind::kGzip: {
      z_stream stream{};
      SPILLWAY_CHECK_EQ(deflateInit2(&stream, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY),
                        Z_OK);
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
      stream.avail_in = static_cast<uInt>(text.size());
      stream.next_out = reinterpret_cast<Bytef*>(packed.data());
      stream.avail_out = static_cast<uInt>(packed.size());
      SPILLWAY_CHECK_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
      bytes = stream.total_out;
      deflateEnd(&stream);
      break;
    }
    case ArchiveKind::kBzip2: {
      auto out = static_cast<unsigned>(packed.size());
      SPILLWAY_CHECK_EQ(
          BZ2_bzBuffToBuffCompress(packed.data(), &out, const_cast<char*>(text.data()),
                                   static_cast<unsigned>(text.size()), 1, 0, 0),
          BZ_OK);
      bytes = out;
      break;
    }
    case ArchiveKind::kZstd: {
      ZSTD_CCtx* const context = ZSTD_createCCtx();
      ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
      bytes = ZSTD_compress2(context, packed.data(), packed.size(), text.data(), text.size());
      ZSTD_freeCCtx(context);
      SPILLWAY_CHECK_EQ(ZSTD_isError(bytes), 0u);
      break;
    }
    case ArchiveKind::kLz4: {
      LZ4F_preferences_t preferences{};
      preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
      bytes =
          LZ4F_compressFrame(packed.data(), packed.size(), text.data(), text.size(), &preferences);
      SPILLWAY_CHECK_EQ(LZ4F_isError(bytes), 0u);
      break;
    }
  }
  packed.resize(bytes);
  return packed;
}

}  // namespace spillway
