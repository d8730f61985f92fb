// RecordBlocks: a pipe's bytes as blocks of whole records, as BlockReader has them of a file. A
// pipe is one split: it begins with a record and ends with one. One thread.
#pragma once

#include <cstdint>

#include "mapreduce/abi.h"
#include "mapreduce/base/status.h"
#include "runtime/filter/input_pipe.h"

namespace spillway {

class RecordBlocks {
 public:
  /// `input` outlives this.
  RecordBlocks(const spillway_framing& framing, InputPipe& input)
      : framing_(framing), input_(input) {}

  /// Fills in the next block; false at the end. It is valid until the next call. BadData names the
  /// offset of a record that is malformed or not whole.
  Result<bool> Next(spillway_block* block);

 private:
  /// Bytes of whole records at the beginning of what is there; 0: none yet.
  Result<std::uint64_t> FindCut();
  Result<std::uint64_t> FindCustomCut();
  Status Bad(std::uint64_t at, const std::string& what) const;

  const spillway_framing framing_;
  InputPipe& input_;
  std::uint64_t block_bytes_ = 0;  ///< Of the last block.
  std::uint64_t scanned_ = 0;      ///< No cut lies before, or whole custom records do.
};

}  // namespace spillway
