// MergeSide: the other side of a join whose inputs are sorted and cut alike already, as the text
// outputs of two jobs with the same keys, partitioner and number of reducers are. A map-only job
// reads the parts of one side, and of the other one the part with the same name is read along
// (a merge join):
//
//   class Along : public Mapper<TextLines, std::string, std::string> {
//    public:
//     Status Setup(TaskContext& context) { return right_.Setup(context); }
//     void Map(const Line& line, Emitter& out) {
//       for (std::string_view row : right_.RowsOf(line)) out.Emit(KeyOf(line.text), row);
//     }
//    private:
//     MergeSide right_;      // by the job's argument --right=DIR
//   };
//
// Lines are `key TAB rest`, sorted by the bytes of the key; the key is the whole line where there
// is no TAB. A split may begin anywhere: the first key is found by bisection. Of the other side,
// one key's rows are in memory. Both sides' order is checked where they are read. One task, one
// thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "mapreduce/adapter/guard.h"
#include "mapreduce/builtin/text_input.h"
#include "mapreduce/task_context.h"

namespace spillway {

/// The key of a line `key TAB rest`.
inline std::string_view KeyOfLine(std::string_view line) { return line.substr(0, line.find('\t')); }

/// What stands behind the first TAB; "" without one.
inline std::string_view RestOfLine(std::string_view line) {
  const std::size_t tab = line.find('\t');
  return tab == std::string_view::npos ? std::string_view() : line.substr(tab + 1);
}

/// One sorted file, read forward from the first key that is asked for.
class SortedLines {
 public:
  /// Throws std::runtime_error when the file cannot be read, here and below.
  explicit SortedLines(const std::string& path) : path_(path), file_(path, std::ios::binary) {
    if (!file_) throw std::runtime_error(path + " cannot be opened");
    file_.seekg(0, std::ios::end);
    bytes_ = static_cast<std::uint64_t>(file_.tellg());
  }

  /// What stands behind the key in the lines that have this key, in their order. Valid until the
  /// next call; keys must not descend from call to call. Throws std::runtime_error with the place
  /// where the file is found not to be sorted.
  const std::vector<std::string>& Rows(std::string_view key) {
    if (started_ && key == key_) return rows_;
    if (!started_) Seek(key);
    started_ = true;
    key_ = key;
    rows_.clear();
    while (have_line_ && KeyOfLine(line_) < key) Advance();
    for (; have_line_ && KeyOfLine(line_) == key; Advance()) rows_.emplace_back(RestOfLine(line_));
    return rows_;
  }

 private:
  /// Goes to the first line whose key is not below `key`, or not far before it.
  void Seek(std::string_view key) {
    constexpr std::uint64_t kNearBytes = 64 << 10;
    std::uint64_t low = 0, high = bytes_;  // The line that begins at `low` may be the one.
    while (high - low > kNearBytes) {
      const std::uint64_t middle = low + (high - low) / 2;
      const std::uint64_t begin = LineBehind(middle);
      if (begin >= high) {
        high = middle;
        continue;
      }
      Enter(begin);
      if (KeyOfLine(line_) < key) {
        low = begin;
      } else {
        high = middle;
      }
    }
    Enter(low);
  }

  /// Where the first line begins behind the byte at `offset`.
  std::uint64_t LineBehind(std::uint64_t offset) {
    file_.clear();
    file_.seekg(static_cast<std::streamoff>(offset));
    std::string skipped;
    std::getline(file_, skipped);
    return offset + skipped.size() + 1;
  }

  void Enter(std::uint64_t offset) {
    file_.clear();
    file_.seekg(static_cast<std::streamoff>(offset));
    next_ = offset;
    have_line_ = false;
    line_.clear();
    Advance();
  }

  void Advance() {
    const std::uint64_t at = next_;
    last_ = have_line_ ? std::string(KeyOfLine(line_)) : std::string();
    have_line_ = static_cast<bool>(std::getline(file_, line_));
    if (file_.bad()) throw std::runtime_error(path_ + " cannot be read");
    next_ = at + line_.size() + 1;
    if (have_line_ && KeyOfLine(line_) < last_)
      throw std::runtime_error(path_ + ":" + std::to_string(at) +
                               ": the key is smaller than the one before it; a merge join needs "
                               "inputs that are sorted by the bytes of their keys");
  }

  std::string path_;
  std::ifstream file_;
  std::uint64_t bytes_ = 0;
  std::uint64_t next_ = 0;  ///< Where the line behind line_ begins.
  bool started_ = false;
  bool have_line_ = false;
  std::string line_, last_, key_;
  std::vector<std::string> rows_;
};

class MergeSide {
 public:
  /// InvalidArgument without `--right=DIR`, and when DIR has not the same parts as the input.
  Status Setup(const TaskContext& context) {
    const auto right = context.args().Option("right");
    if (!right.has_value() || right->empty())
      return InvalidArgument("say where the other side lies: --right=DIR");
    directory_ = *right;
    std::vector<std::string> paths;
    for (std::uint32_t i = 0; !context.input_path(i).empty(); ++i)
      paths.emplace_back(context.input_path(i));
    return CheckParts(std::move(paths));
  }

  /// The rows of the other side that have the key of this line. Valid until the next call. Throws
  /// BadRecord when the line's key is smaller than that of the line before it.
  std::span<const std::string> RowsOf(const Line& line) {
    const std::string_view key = KeyOfLine(line.text);
    // The lines of one split follow each other; a gap is the beginning of another one.
    if (other_ == nullptr || line.file_index != file_index_ || line.offset != next_offset_) {
      other_ = std::make_unique<SortedLines>(directory_ + "/" + NameOf(line.path));
      file_index_ = line.file_index;
    } else if (key < key_) {
      throw BadRecord(
          "the key is smaller than the one before it; a merge join needs inputs that are sorted "
          "by the bytes of their keys");
    }
    next_offset_ = line.offset + line.text.size() + 1;
    key_ = key;
    return other_->Rows(key);
  }

 private:
  static std::string NameOf(std::string_view path) {
    return std::string(path.substr(path.rfind('/') + 1));
  }

  /// Other parts would be another partitioning, and rows would miss their partners in silence.
  Status CheckParts(std::vector<std::string> paths) {
    for (std::string& path : paths) path = NameOf(path);
    std::error_code error;
    std::vector<std::string> others;
    for (const auto& entry : std::filesystem::directory_iterator(directory_, error)) {
      const std::string name = entry.path().filename().string();
      if (name.front() != '_' && name.front() != '.') others.push_back(name);
    }
    if (error) return NotFound("--right=" + directory_ + ": " + error.message());
    std::sort(paths.begin(), paths.end());
    std::sort(others.begin(), others.end());
    if (paths == others) return OkStatus();
    return InvalidArgument("--right=" + directory_ + " has " + std::to_string(others.size()) +
                           " parts, the input " + std::to_string(paths.size()) +
                           ", or they have other names: a merge join needs two outputs of the "
                           "same number of reducers");
  }

  std::string directory_;
  std::unique_ptr<SortedLines> other_;
  std::uint32_t file_index_ = 0;
  std::uint64_t next_offset_ = 0;
  std::string key_;
};

}  // namespace spillway
