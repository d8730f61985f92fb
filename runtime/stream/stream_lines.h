// StreamLines: the lines that a command writes, as records: the key up to the first TAB, the value
// from the TAB on. So key and value together are the line, and a line without a TAB comes out as it
// went in. Any other byte may stand in a line, NUL too. Pure; one thread.
//
// Where fields of the key say the order, the record's key is the bytes of that order, and its value
// the whole line.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "mapreduce/abi.h"
#include "mapreduce/base/status.h"
#include "runtime/stream/key_fields.h"

namespace spillway {

/// As much as the engine takes in one key or value; a line is one of each.
inline constexpr std::size_t kStreamLineBytesMax = std::size_t{1} << 30;

/// Where a line's key ends, and by what it is sorted. A value.
struct LineKeys {
  char separator = '\t';
  std::uint32_t fields = 1;  ///< The key ends before that many separators; else with the line.
  KeyFields order;           ///< Empty: by the bytes of the key.

  std::size_t KeyBytes(std::string_view line) const;
};

class StreamLines {
 public:
  /// Takes a batch of records; a failure ends the call that it came from. Its views end then.
  using Sink = std::function<Status(const spillway_record* records, std::size_t count)>;

  /// `keys` outlives this.
  StreamLines(const LineKeys& keys, Sink sink) : keys_(keys), sink_(std::move(sink)) {
    batch_.reserve(kBatchRecords);
  }

  /// Takes bytes as they come. SPILLWAY_PADDING_BYTES behind them are readable.
  Status Add(std::string_view bytes);

  /// What is left at the end is a line without its newline.
  Status Finish();

 private:
  static constexpr std::size_t kBatchRecords = 512;

  Status AddLine(std::string_view line);
  Status AddCarried();
  Status Flush();
  void PlaceOrders();

  const LineKeys& keys_;
  Sink sink_;
  std::vector<spillway_record> batch_;
  std::string
      orders_;         ///< The keys of the batch, one behind the other, where fields say the order.
  std::string carry_;  ///< The beginning of a line whose end has not come.
};

}  // namespace spillway
