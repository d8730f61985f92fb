// ArchiveDecoder: one of the libraries that decode archives, member by member, behind one
// interface. Belongs to an ArchiveStream; one thread.
#pragma once

#include <cstddef>
#include <memory>

#include "runtime/archive/archive_kind.h"

namespace spillway {

/// Bytes to decode, and room for what they become. Decode moves both on by what it used.
struct DecoderWindow {
  const char* in = nullptr;
  std::size_t in_bytes = 0;
  char* out = nullptr;
  std::size_t out_bytes = 0;
};

class ArchiveDecoder {
 public:
  enum class Progress {
    kMore,       ///< All input was used, or all room.
    kMemberEnd,  ///< The member and its checksums came to their end; Begin the next one.
    kDamaged,    ///< See damage(). Nothing more can be decoded.
    kNoMemory,   ///< The allocator had none.
  };

  ArchiveDecoder() = default;
  virtual ~ArchiveDecoder() = default;
  ArchiveDecoder(const ArchiveDecoder&) = delete;
  ArchiveDecoder& operator=(const ArchiveDecoder&) = delete;

  /// Before the first byte of each member. False: no memory.
  virtual bool Begin() = 0;
  virtual Progress Decode(DecoderWindow* window) = 0;

  /// What is wrong, as the library says it.
  const char* damage() const { return damage_; }

 protected:
  Progress Damaged(const char* what) {
    damage_ = what;
    return Progress::kDamaged;
  }

 private:
  const char* damage_ = "";
};

/// Not of kNone.
std::unique_ptr<ArchiveDecoder> MakeArchiveDecoder(ArchiveKind kind);

}  // namespace spillway
