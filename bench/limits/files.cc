#include "bench/limits/files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "bench/limits/command_line.h"

namespace spillway::limits {

InputFile InputFile::Open(const std::string& path) {
  InputFile file;
  file.path = path;
  file.descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file.descriptor < 0) Fail(kExitNoInput, "cannot open " + path);
  struct stat about {};
  if (::fstat(file.descriptor, &about) != 0) Fail(kExitNoInput, "cannot stat " + path);
  if (!S_ISREG(about.st_mode)) {
    errno = 0;
    Fail(kExitNoInput, path + " is not a regular file");
  }
  file.bytes = static_cast<std::uint64_t>(about.st_size);
  return file;
}

std::size_t InputFile::ReadAt(std::uint64_t offset, char* to, std::size_t bytes_max) const {
  std::size_t done = 0;
  while (done < bytes_max) {
    const ssize_t got =
        ::pread(descriptor, to + done, bytes_max - done, static_cast<off_t>(offset + done));
    if (got == 0) break;
    if (got < 0) {
      if (errno == EINTR) continue;
      Fail(kExitDisk, "cannot read " + path);
    }
    done += static_cast<std::size_t>(got);
  }
  return done;
}

std::vector<InputFile> OpenInputs(const std::vector<std::string>& paths) {
  std::vector<InputFile> files;
  for (const std::string& path : paths) files.push_back(InputFile::Open(path));
  return files;
}

OutputFile::OutputFile(const std::string& path)
    : path_(path), descriptor_(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)) {
  if (descriptor_ < 0) Fail(kExitDisk, "cannot create " + path);
}

OutputFile::~OutputFile() {
  if (::close(descriptor_) != 0) Fail(kExitDisk, "cannot close " + path_);
}

void OutputFile::WriteAt(std::uint64_t offset, std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t put =
        ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0) {
      if (errno == EINTR) continue;
      Fail(kExitDisk, "cannot write " + path_);
    }
    bytes.remove_prefix(static_cast<std::size_t>(put));
    offset += static_cast<std::uint64_t>(put);
  }
}

LargeBuffer::LargeBuffer(std::size_t bytes) : bytes_(bytes) {
  if (bytes == 0) return;
  void* mapped = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) Fail(kExitDisk, "cannot get memory");
  data_ = static_cast<char*>(mapped);
  ::madvise(data_, bytes, MADV_HUGEPAGE);  // Advice only: without it everything works, slower.
}

LargeBuffer::~LargeBuffer() {
  if (data_ != nullptr) ::munmap(data_, bytes_);
}

void LargeBuffer::Release() {
  if (data_ != nullptr) ::madvise(data_, bytes_, MADV_DONTNEED);
}

}  // namespace spillway::limits
