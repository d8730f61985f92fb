// PartFile: the file that one attempt of one part writes, attempts/part-00003.1 in a job's staging
// directory (output_staging.h). Which attempt's file becomes the part is decided elsewhere, so
// nothing here waits for it. One attempt, one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "mapreduce/base/file_system.h"

namespace spillway {

struct PartInfo {
  std::uint64_t bytes = 0;
  std::uint64_t records = 0;
  std::uint64_t xxh3 = 0;  ///< XXH3-64 of the part's bytes.
};

/// "part-00042".
std::string PartName(std::uint32_t part);

/// Where an attempt writes: "STAGING/attempts/part-00042.1".
std::string PartAttemptPath(const std::string& staging_dir, std::uint32_t part,
                            std::uint32_t attempt);

struct PartFileOptions {
  std::uint32_t part = 0;
  std::uint32_t attempt = 0;
  bool durable = true;  ///< Sync the content before Finish returns.
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

  /// Syncs and closes; afterwards the file stays. A failure must not be tried again: the file goes.
  Status Finish();

  /// Removes a file that was finished and lost. Later calls do nothing.
  void Remove();

  /// Bytes and hash of what was appended; the records are for the caller to fill in.
  PartInfo info() const;

 private:
  PartFile(FileSystem& files, std::string directory, std::string path,
           const PartFileOptions& options, std::unique_ptr<WritableFile> file);

  FileSystem& files_;
  const std::string directory_;
  const std::string path_;
  const PartFileOptions options_;
  std::unique_ptr<WritableFile> file_;
  struct Hash;
  std::unique_ptr<Hash> hash_;
  std::uint64_t bytes_ = 0;
  std::uint64_t sync_started_bytes_ = 0;
  bool kept_ = false;
  bool removed_ = false;
};

}  // namespace spillway
