// A text as something that an InputPipe reads.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <string>

#include "runtime/filter/input_pipe.h"
#include "runtime/storage/unique_fd.h"

namespace spillway {

class InputFile {
 public:
  explicit InputFile(const std::string& text, std::uint64_t buffer_bytes = 16)
      : pipe_(InputPipe::Open(Fill(text), Options(buffer_bytes), budget_).value()) {}

  InputPipe& pipe() { return pipe_; }

 private:
  int Fill(const std::string& text) {
    char name[] = "/tmp/spillway_input_XXXXXX";
    file_ = UniqueFd(mkstemp(name));
    unlink(name);
    if (write(file_.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) abort();
    lseek(file_.get(), 0, SEEK_SET);
    return file_.get();
  }
  static InputPipeOptions Options(std::uint64_t buffer_bytes) {
    InputPipeOptions options;
    options.name = "the input";
    options.buffer_bytes = buffer_bytes;
    options.record_bytes_max = 1024;
    return options;
  }

  MemoryBudget budget_{1 << 20};
  UniqueFd file_;
  InputPipe pipe_;
};

}  // namespace spillway
