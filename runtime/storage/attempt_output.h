// AttemptOutput: everything that one attempt of a task writes to the job's output: its part, and a
// file for each further directory that it names. Any number of directories: only some of their
// files are open at once, each with a buffer as far as the memory budget has room. One attempt, one
// thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "mapreduce/base/file_system.h"
#include "runtime/storage/part_file.h"
#include "shuffle/store/memory_budget.h"

namespace spillway {

struct AttemptOutputOptions {
  std::string staging_dir;
  PartFileOptions file;  ///< Of the part; `directory` is not set.
  bool has_part = true;  ///< False: there are directories alone.
  std::uint32_t open_directories_max = 64;
  /// What is told of them must fit a message.
  std::uint32_t directories_max = 10'000;
  std::uint64_t names_bytes_max = 256 << 10;
};

class AttemptOutput {
 public:
  static constexpr std::uint64_t kBufferBytes = 64 << 10;

  /// `files` and `budget` outlive the output. Files that this attempt left when it ran before, in a
  /// process that ended since, are replaced: nobody was told of them, or it would not run again.
  static Result<std::unique_ptr<AttemptOutput>> Create(FileSystem& files, MemoryBudget& budget,
                                                       AttemptOutputOptions options);
  /// Removes what was not finished.
  ~AttemptOutput();
  AttemptOutput(const AttemptOutput&) = delete;
  AttemptOutput& operator=(const AttemptOutput&) = delete;

  /// To the part.
  Status Append(std::string_view bytes);

  /// To the file in a directory, with so many records that end here. kUserCode for a name that is
  /// none, and beyond the limits.
  Status AppendTo(std::string_view directory, std::string_view bytes, std::uint64_t records);

  /// Everything is whole, synced and closed afterwards, and stays when this goes. A failure must
  /// not be tried again: the files go.
  Status Finish();

  /// Removes files that were finished and lost. Later calls do nothing.
  void Remove();

  /// Of the part the records are for the caller to fill in.
  PartInfo info() const;
  bool has_directories() const { return !directories_.empty(); }

 private:
  struct Directory {
    std::string name;
    std::unique_ptr<PartFile> file;
    Buffer buffer;
    std::uint64_t buffered_bytes = 0;
    std::uint64_t records = 0;
    std::uint64_t last_use = 0;
    bool open = false;  ///< One of open_.
  };

  AttemptOutput(FileSystem& files, MemoryBudget& budget, AttemptOutputOptions options)
      : files_(files), budget_(budget), options_(std::move(options)) {}

  Result<std::unique_ptr<PartFile>> CreateFile(const PartFileOptions& options);
  Result<Directory*> Find(std::string_view name);
  Result<Directory*> Add(std::string_view name);
  Status MakeRoom();
  Status Open(Directory& directory);
  static Status Drain(Directory& directory);
  Status Rest(Directory& directory);

  FileSystem& files_;
  MemoryBudget& budget_;
  const AttemptOutputOptions options_;
  std::unique_ptr<PartFile> part_;
  std::vector<std::unique_ptr<Directory>> directories_;  ///< By the number of their file.
  std::unordered_map<std::string_view, Directory*> by_name_;
  std::vector<Directory*> open_;
  Directory* last_ = nullptr;
  std::uint64_t uses_ = 0;
  std::uint64_t names_bytes_ = 0;
  std::uint64_t charged_bytes_ = 0;  ///< For what is kept of each directory.
  bool finished_ = false;
};

}  // namespace spillway
