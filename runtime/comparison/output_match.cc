#include "runtime/comparison/output_match.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

namespace spillway {
namespace {

constexpr std::size_t kPieceBytes = 1 << 20;

/// The bytes of an output's parts, one part after the other.
class PartBytes {
 public:
  PartBytes(FileSystem& files, std::string directory)
      : files_(files), directory_(std::move(directory)) {}

  Status Open() {
    SPILLWAY_ASSIGN_OR_RETURN(names_, files_.List(directory_));
    std::erase_if(names_, [](const std::string& name) { return !name.starts_with("part-"); });
    return OkStatus();
  }

  /// Makes at least one byte available, or none at the end.
  Status Fill() {
    while (at_ == piece_.size()) {
      if (file_ == nullptr) {
        if (next_ == names_.size()) return OkStatus();
        SPILLWAY_ASSIGN_OR_RETURN(file_, files_.Open(directory_ + "/" + names_[next_++]));
        offset_ = 0;
      }
      piece_.resize(kPieceBytes);
      at_ = 0;
      SPILLWAY_ASSIGN_OR_RETURN(const std::uint64_t got,
                                file_->ReadAt(offset_, kPieceBytes, piece_.data()));
      piece_.resize(got);
      offset_ += got;
      if (got == 0) file_.reset();
    }
    return OkStatus();
  }

  std::string_view ready() const { return std::string_view(piece_).substr(at_); }
  void Take(std::size_t bytes) { at_ += bytes; }

 private:
  FileSystem& files_;
  const std::string directory_;
  std::vector<std::string> names_;
  std::size_t next_ = 0;
  std::unique_ptr<ReadableFile> file_;
  std::uint64_t offset_ = 0;
  std::string piece_;
  std::size_t at_ = 0;
};

}  // namespace

Result<std::string> DifferenceOf(FileSystem& files, const std::string& first,
                                 const std::string& second) {
  PartBytes one(files, first), other(files, second);
  SPILLWAY_RETURN_IF_ERROR(one.Open());
  SPILLWAY_RETURN_IF_ERROR(other.Open());
  std::uint64_t same = 0;
  while (true) {
    SPILLWAY_RETURN_IF_ERROR(one.Fill());
    SPILLWAY_RETURN_IF_ERROR(other.Fill());
    const std::size_t bytes = std::min(one.ready().size(), other.ready().size());
    if (bytes == 0) break;
    const std::string_view a = one.ready().substr(0, bytes), b = other.ready().substr(0, bytes);
    const auto found = std::mismatch(a.begin(), a.end(), b.begin());
    if (found.first != a.end()) {
      same += static_cast<std::uint64_t>(found.first - a.begin());
      return "from byte " + std::to_string(same) + " on";
    }
    same += bytes;
    one.Take(bytes);
    other.Take(bytes);
  }
  if (one.ready().empty() && other.ready().empty()) return std::string();
  return "one ends after " + std::to_string(same) + " bytes, the other goes on";
}

}  // namespace spillway
