// PartFile: a file that one attempt of a task writes, attempts/part-00003.1 in a job's staging
// directory (output_staging.h). Which attempt's file becomes the part is decided elsewhere, so
// nothing here waits for it. What the attempt writes for other directories of the output is in
// files of its own, attempts/part-00003.1.0 and so on, or attempts/map-00003.1.0 of the map task of
// a job with reducers. One attempt, one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mapreduce/base/file_system.h"

namespace spillway {

/// What a task wrote to one directory of the output.
struct DirectoryPart {
  std::string directory;  ///< "errors", or "date=2024-01-01/hour=7"; see WhyNoOutputPath.
  std::uint64_t bytes = 0;
  std::uint64_t records = 0;
  std::uint64_t xxh3 = 0;
};

struct PartInfo {
  std::uint64_t bytes = 0;
  std::uint64_t records = 0;
  std::uint64_t xxh3 = 0;  ///< XXH3-64 of the part's bytes.
  /// In the order of their files' numbers.
  std::vector<DirectoryPart> directories = {};

  std::uint64_t total_bytes() const {
    std::uint64_t total = bytes;
    for (const DirectoryPart& part : directories) total += part.bytes;
    return total;
  }
};

/// "part-00042", or "map-00042" for what a map task writes beside its segment.
std::string PartName(std::uint32_t part, bool of_map = false);

/// Where an attempt writes: "STAGING/attempts/part-00042.1", and ".0" behind it for the first of
/// its further directories.
std::string PartAttemptPath(const std::string& staging_dir, std::uint32_t part,
                            std::uint32_t attempt, bool of_map = false,
                            std::optional<std::uint32_t> directory = {});

struct PartFileOptions {
  std::uint32_t part = 0;
  std::uint32_t attempt = 0;
  bool of_map = false;
  std::optional<std::uint32_t> directory = {};  ///< The number of its file.
  bool durable = true;                          ///< Sync the content before Finish returns.
  /// Sync the name as well. Whoever promises the file to another process must; a job that ends
  /// with its process need not.
  bool durable_name = true;
};

class PartFile {
 public:
  /// `files` outlives the part. AlreadyExists: this attempt wrote here before. NotFound: the
  /// staging directory is gone, and so is the job.
  static Result<std::unique_ptr<PartFile>> Create(FileSystem& files, const std::string& staging_dir,
                                                  const PartFileOptions& options);

  /// Removes the file unless it was kept by Finish.
  ~PartFile();
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  /// Appends are hashed on the way.
  Status Append(std::string_view bytes);

  /// Closes the file until the next call, and syncs it before: an error of the device is told to
  /// those who have the file open.
  Status Rest();
  bool resting() const { return file_ == nullptr; }

  /// Syncs and closes; afterwards the file stays. A failure must not be tried again: the file goes.
  Status Finish();

  /// Removes a file that was finished and lost. Later calls do nothing.
  void Remove();

  /// Bytes and hash of what was appended; the records are for the caller to fill in.
  PartInfo info() const;

 private:
  Status Wake();
  PartFile(FileSystem& files, std::string directory, std::string path,
           const PartFileOptions& options, std::unique_ptr<WritableFile> file);

  FileSystem& files_;
  const std::string directory_;
  const std::string path_;
  const PartFileOptions options_;
  std::unique_ptr<WritableFile> file_;  ///< Null while it rests.
  struct Hash;
  std::unique_ptr<Hash> hash_;
  std::uint64_t bytes_ = 0;
  std::uint64_t sync_started_bytes_ = 0;
  bool kept_ = false;
  bool removed_ = false;
};

}  // namespace spillway
