// InputFile and OutputFile: positional reads and writes that end the program when they fail, and
// LargeBuffer, memory in huge pages. Any thread may read or write at its own offsets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace spillway::limits {

/// A regular file, open for reading until the process ends.
struct InputFile {
  std::string path;
  int descriptor = -1;
  std::uint64_t bytes = 0;

  static InputFile Open(const std::string& path);

  /// Reads up to `bytes_max` from `offset`; less only at the end of the file.
  std::size_t ReadAt(std::uint64_t offset, char* to, std::size_t bytes_max) const;
};

std::vector<InputFile> OpenInputs(const std::vector<std::string>& paths);

/// A new file (or an old one, emptied). Closed without fsync: the limits measure what the page
/// cache takes, and so do the framework's benchmarks.
class OutputFile {
 public:
  explicit OutputFile(const std::string& path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void WriteAt(std::uint64_t offset, std::string_view bytes) const;
  int descriptor() const { return descriptor_; }

 private:
  std::string path_;
  int descriptor_;
};

/// Anonymous memory in huge pages where the system gives them: on virtual machines the first touch
/// of a 4 KiB page costs several times more than the work on it. Zeroed; pages come as touched.
class LargeBuffer {
 public:
  LargeBuffer() = default;
  explicit LargeBuffer(std::size_t bytes);
  ~LargeBuffer();
  LargeBuffer(LargeBuffer&& other) noexcept { swap(other); }
  LargeBuffer& operator=(LargeBuffer&& other) noexcept {
    swap(other);
    return *this;
  }

  char* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }

  /// Gives all pages back; the next touch finds zeros.
  void Release();

 private:
  void swap(LargeBuffer& other) {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
  }

  char* data_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace spillway::limits
