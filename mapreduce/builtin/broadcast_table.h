// BroadcastTable: the small side of a join, read whole from a side file into each task's memory, so
// that the other side is joined in its mapper and nothing of it is sorted or moved (a broadcast, or
// map-side, join):
//
//   class Locate : public Mapper<TextLines, std::string, std::string> {
//    public:
//     Status Setup(TaskContext& context) { return cities_.Load(context, "cities", ParseCity); }
//     void Map(const Line& line, Emitter& out) {
//       for (const City& city : cities_.Rows(FieldOf(line))) out.Emit(city.name, line.text);
//     }
//    private:
//     BroadcastTable<std::string, City> cities_;     // --file cities=PATH
//   };
//
// Every task reads its own copy: right while that takes less than the task's own input does, and
// the table fits as often into memory as there are slots. One task, one thread.
#pragma once

#include <cstddef>
#include <fstream>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "mapreduce/adapter/guard.h"
#include "mapreduce/codec.h"
#include "mapreduce/task_context.h"

namespace spillway {

template <class K, class V>
class BroadcastTable {
 public:
  using Row = std::pair<K, V>;

  /// Reads the lines of the side file `name`; `parse` makes a Row of each or throws BadRecord.
  /// BadData with the file and the offset of a line that it refuses; NotFound without the file.
  template <class Parse>
  Status Load(const TaskContext& context, const char* name, Parse&& parse) {
    SPILLWAY_ASSIGN_OR_RETURN(const std::string path, context.side_file(name));
    std::ifstream file(path, std::ios::binary);
    if (!file) return NotFound("the side file " + path + " cannot be opened");
    std::size_t offset = 0;
    for (std::string line; std::getline(file, line); offset += line.size() + 1) {
      try {
        Row row = parse(std::string_view(line));
        rows_[std::move(row.first)].push_back(std::move(row.second));
      } catch (const BadRecord& bad) {
        return BadData(path + ":" + std::to_string(offset) + ": " + bad.what());
      }
    }
    if (file.bad()) return DataLoss("the side file " + path + " cannot be read");
    return OkStatus();
  }

  /// The rows of a key, in the order of the file; none for a key that is not there.
  std::span<const V> Rows(const View<K>& key) const {
    const auto found = rows_.find(key);
    return found == rows_.end() ? std::span<const V>() : std::span<const V>(found->second);
  }

  /// Distinct keys.
  std::size_t size() const { return rows_.size(); }

 private:
  /// Looks strings up by their views.
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(const View<K>& key) const { return std::hash<View<K>>()(key); }
  };

  std::unordered_map<K, std::vector<V>, Hash, std::equal_to<>> rows_;
};

}  // namespace spillway
