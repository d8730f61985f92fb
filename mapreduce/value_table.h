// ValueTable: a value for each vertex of a graph, in files that the rounds of a keyed loop leave
// for each other (docs/formats/values.md). ValueWriter makes one of its parts. A part holds whole
// ranges of kRangeVertices vertices, and what is added up over the graph is added up per range and
// the ranges in order: so a floating-point sum has one association, whatever the number of parts.
// One task, one thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "mapreduce/base/coding.h"
#include "mapreduce/base/xxh64.h"

namespace spillway {

inline constexpr std::uint64_t kRangeVertices = 65'536;

/// How the vertices of a graph are cut into parts.
struct VertexParts {
  std::uint64_t vertices = 0;
  std::uint32_t parts = 1;

  std::uint64_t ranges() const { return (vertices + kRangeVertices - 1) / kRangeVertices; }
  /// The first vertex of a part, and the end of the last one.
  std::uint64_t Begin(std::uint32_t part) const {
    return std::min(vertices, ranges() * part / parts * kRangeVertices);
  }
  std::uint32_t PartOf(std::uint64_t vertex) const {
    const std::uint64_t range = vertex / kRangeVertices;
    auto part = static_cast<std::uint32_t>(range * parts / ranges());
    while (Begin(part + 1) <= vertex) ++part;
    return part;
  }
};

/// What a file says of itself. The totals of its ranges stand at its end.
struct ValuePart {
  static constexpr std::size_t kHeadBytes = 56;
  static constexpr std::string_view kMagic = "SPLWVALS";
  static constexpr std::uint32_t kVersion = 1;

  std::uint32_t entry_bytes = 0;
  std::uint32_t total_bytes = 0;
  std::uint64_t vertices = 0;  ///< Of the whole graph.
  std::uint64_t first = 0;
  std::uint64_t count = 0;

  std::uint64_t ranges() const { return (count + kRangeVertices - 1) / kRangeVertices; }
  std::uint64_t EntriesOf(std::uint64_t range) const {
    return std::min(kRangeVertices, count - range * kRangeVertices);
  }
  std::uint64_t OffsetOf(std::uint64_t range) const {
    return kHeadBytes + range * (kRangeVertices * entry_bytes + 8);
  }
  std::uint64_t TotalsOffset() const { return kHeadBytes + count * entry_bytes + 8 * ranges(); }

  std::string Encode() const {
    std::string head(kHeadBytes, '\0');
    char* to = head.data();
    std::memcpy(to, kMagic.data(), kMagic.size());
    to = StoreLittle(to + kMagic.size(), kVersion);
    to = StoreLittle(to, entry_bytes);
    to = StoreLittle(to, total_bytes);
    to = StoreLittle(to, std::uint32_t{0});
    to = StoreLittle(to, vertices);
    to = StoreLittle(to, first);
    to = StoreLittle(to, count);
    StoreLittle(to, Xxh64({head.data(), kHeadBytes - 8}));
    return head;
  }
  static bool Decode(const std::string& head, ValuePart* part) {
    const char* const from = head.data();
    if (head.size() != kHeadBytes || !head.starts_with(kMagic)) return false;
    if (LoadLittle<std::uint64_t>(from + 48) != Xxh64({from, kHeadBytes - 8})) return false;
    if (LoadLittle<std::uint32_t>(from + 8) != kVersion) return false;
    part->entry_bytes = LoadLittle<std::uint32_t>(from + 12);
    part->total_bytes = LoadLittle<std::uint32_t>(from + 16);
    part->vertices = LoadLittle<std::uint64_t>(from + 24);
    part->first = LoadLittle<std::uint64_t>(from + 32);
    part->count = LoadLittle<std::uint64_t>(from + 40);
    return true;
  }
};

/// An entry: the vertex's number of out-edges and its value.
template <class Value>
struct VertexValue {
  static_assert(std::is_trivially_copyable_v<Value>);
  static constexpr std::uint32_t kBytes = 8 + sizeof(Value);
  std::uint64_t out_edges = 0;
  Value value{};
};

/// Makes the bytes of one part from its entries in order.
template <class Value, class Total>
class ValueWriter {
 public:
  static_assert(std::is_trivially_copyable_v<Total>);

  /// `put(bytes)` is given pieces of the file.
  template <class Put>
  void Begin(const VertexParts& parts, std::uint32_t part, Put&& put) {
    part_ = {VertexValue<Value>::kBytes, sizeof(Total), parts.vertices, parts.Begin(part),
             parts.Begin(part + 1) - parts.Begin(part)};
    put(std::string_view(part_.Encode()));
  }

  /// The vertex that comes next, and whether there is one.
  std::uint64_t next() const { return part_.first + written_; }
  bool at_end() const { return written_ == part_.count; }

  /// `total` is that of the vertex's range, this vertex included.
  template <class Put>
  void Add(const VertexValue<Value>& entry, const Total& total, Put&& put) {
    char bytes[VertexValue<Value>::kBytes];
    std::memcpy(StoreLittle(bytes, entry.out_edges), &entry.value, sizeof(Value));
    range_.append(bytes, sizeof bytes);
    ++written_;
    if (!RangeEnds()) return;
    Close(range_, put);
    totals_.append(reinterpret_cast<const char*>(&total), sizeof total);
  }

  /// Whether the vertex that was added last ends its range, so that totals begin anew.
  bool RangeEnds() const { return written_ % kRangeVertices == 0 || at_end(); }

  template <class Put>
  void End(Put&& put) {
    Close(totals_, put);
  }

 private:
  template <class Put>
  static void Close(std::string& bytes, Put&& put) {
    char checksum[8];
    StoreLittle(checksum, Xxh64(bytes));
    bytes.append(checksum, sizeof checksum);
    put(std::string_view(bytes));
    bytes.clear();
  }

  ValuePart part_;
  std::uint64_t written_ = 0;
  std::string range_, totals_;
};

/// Reads any entry; neighbours are cheap, since a whole range is read at a time.
template <class Value, class Total>
class ValueTable {
 public:
  /// The parts of a directory. Throws std::runtime_error for what is not a whole table of these
  /// types, here and below; the message says where.
  void Open(const std::string& directory) {
    std::vector<std::string> paths;
    for (const auto& entry : std::filesystem::directory_iterator(directory))
      if (entry.path().filename().string().starts_with("part-"))
        paths.push_back(entry.path().string());
    std::sort(paths.begin(), paths.end());
    files_.clear();
    std::uint64_t next = 0;
    for (const std::string& path : paths) {
      files_.push_back({path, std::ifstream(path, std::ios::binary), {}});
      File& file = files_.back();
      const bool good = ValuePart::Decode(Read(file, 0, ValuePart::kHeadBytes), &file.part) &&
                        file.part.entry_bytes == VertexValue<Value>::kBytes &&
                        file.part.total_bytes == sizeof(Total) && file.part.first == next;
      if (!good) throw std::runtime_error(path + " is not the next part of a table of values");
      next += file.part.count;
    }
    if (files_.empty() || next != files_[0].part.vertices)
      throw std::runtime_error(directory + " holds no whole table of values");
  }

  std::uint64_t vertices() const { return files_[0].part.vertices; }

  /// Folds the ranges' totals in their order.
  template <class Join>
  Total Sum(Join&& join) {
    Total sum{};
    for (File& file : files_) {
      const std::uint64_t bytes = file.part.ranges() * sizeof(Total);
      const std::string totals = ReadChecked(file, file.part.TotalsOffset(), bytes);
      for (std::uint64_t at = 0; at < bytes; at += sizeof(Total)) {
        Total total{};
        std::memcpy(&total, totals.data() + at, sizeof total);
        join(sum, total);
      }
    }
    return sum;
  }

  VertexValue<Value> Of(std::uint64_t vertex) {
    if (vertex >= vertices())
      throw std::runtime_error("the table of values has no vertex " + std::to_string(vertex));
    if (vertex / kRangeVertices != loaded_) Load(vertex);
    const char* const at = entries_.data() + vertex % kRangeVertices * VertexValue<Value>::kBytes;
    VertexValue<Value> entry;
    entry.out_edges = LoadLittle<std::uint64_t>(at);
    std::memcpy(&entry.value, at + 8, sizeof(Value));
    return entry;
  }

 private:
  struct File {
    std::string path;
    std::ifstream in;
    ValuePart part;
  };

  static std::string Read(File& file, std::uint64_t offset, std::uint64_t bytes) {
    std::string data(bytes, '\0');
    file.in.clear();
    file.in.seekg(static_cast<std::streamoff>(offset));
    if (!file.in.read(data.data(), static_cast<std::streamsize>(bytes)))
      throw std::runtime_error(file.path + " ends before byte " + std::to_string(offset + bytes));
    return data;
  }

  static std::string ReadChecked(File& file, std::uint64_t offset, std::uint64_t bytes) {
    std::string data = Read(file, offset, bytes + 8);
    if (LoadLittle<std::uint64_t>(data.data() + bytes) != Xxh64({data.data(), bytes}))
      throw std::runtime_error(file.path + ":" + std::to_string(offset) +
                               ": the values are damaged: their checksum is another");
    return data;
  }

  void Load(std::uint64_t vertex) {
    for (File& file : files_) {
      if (vertex < file.part.first || vertex >= file.part.first + file.part.count) continue;
      const std::uint64_t range = (vertex - file.part.first) / kRangeVertices;
      entries_ = ReadChecked(file, file.part.OffsetOf(range),
                             file.part.EntriesOf(range) * VertexValue<Value>::kBytes);
      loaded_ = vertex / kRangeVertices;
      return;
    }
  }

  std::vector<File> files_;
  std::uint64_t loaded_ = UINT64_MAX;  ///< The range in entries_.
  std::string entries_;
};

}  // namespace spillway
