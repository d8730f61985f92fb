// A file in memory, to be read by tests.
#pragma once

#include <string>
#include <utility>

#include "mapreduce/base/file_system.h"

namespace spillway {

class StringFile : public ReadableFile {
 public:
  explicit StringFile(std::string text) : text_(std::move(text)) {}
  Result<std::uint64_t> ReadAt(std::uint64_t offset, std::uint64_t bytes,
                               char* scratch) const override {
    if (offset > text_.size()) return std::uint64_t{0};
    return std::uint64_t{text_.copy(scratch, bytes, offset)};
  }
  Result<std::uint64_t> Size() const override { return std::uint64_t{text_.size()}; }
  void Release(std::uint64_t, std::uint64_t) const override {}

 private:
  std::string text_;
};

}  // namespace spillway
