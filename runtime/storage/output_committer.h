// OutputCommitter: a job's output appears as a whole or not at all. Everything is written to a
// staging directory beside the output directory:
//
//   .NAME.spillway-JOB/                  staging, with an owner marker
//     attempts/part-00003.1              one attempt of one part
//     part-00003                         the attempt that was granted the commit
//     _manifest.json _SUCCESS            what the parts are; written last
//
// and becomes the output directory by one rename that replaces nothing. With `overwrite` an
// existing output directory changes places with the staging directory in one step and is removed
// afterwards. Files are synced before they are renamed, directories afterwards, unless the output
// need not be durable. Parts may be written and committed by any thread; the rest is for the
// thread that runs the job.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "mapreduce/base/file_system.h"

namespace spillway {

struct PartInfo {
  std::uint64_t bytes = 0;
  std::uint64_t records = 0;
  std::uint64_t xxh3 = 0;  ///< XXH3-64 of the part's bytes.
  bool committed = false;
};

struct OutputCommitterOptions {
  std::string output_dir;
  std::string job_id;
  std::uint32_t parts = 0;
  bool overwrite = false;
  bool durable = true;  ///< False: a power cut soon after the commit may lose the output.
};

class OutputCommitter {
 public:
  /// Creates the staging directory, after removing what a dead job left for the same output.
  /// AlreadyExists when the output exists and `overwrite` is not set; also for an empty
  /// directory.
  static Result<std::unique_ptr<OutputCommitter>> Create(FileSystem& files,
                                                         const OutputCommitterOptions& options);
  ~OutputCommitter() { Discard(); }

  /// Removes the staging directory unless the job was committed. Parts that are still being
  /// written then go nowhere.
  void Discard();

  /// One attempt's file. Appends are hashed on the way. Removed when it is destroyed unfinished.
  class Part;
  Result<std::unique_ptr<Part>> CreatePart(std::uint32_t part, std::uint32_t attempt);

  /// Publishes a finished attempt as the part. A part is committed once: another attempt's commit
  /// afterwards changes nothing and answers ok.
  Status CommitPart(std::uint32_t part, std::uint32_t attempt, const PartInfo& info);

  /// Writes manifest and _SUCCESS and makes the output visible. `manifest_head` is put first in the
  /// manifest: further `"key": value` pairs, or nothing.
  Status CommitJob(const std::string& manifest_head);

  const std::vector<PartInfo>& parts() const { return parts_; }
  const std::string& staging_dir() const { return staging_; }

 private:
  OutputCommitter(FileSystem& files, OutputCommitterOptions options, std::string staging);
  Status WriteFile(const std::string& name, const std::string& text);
  Status Publish();

  FileSystem& files_;
  const OutputCommitterOptions options_;  ///< output_dir without trailing slashes.
  const std::string staging_;
  bool job_committed_ = false;
  std::mutex mutex_;
  std::vector<PartInfo> parts_;  // Guarded by mutex_ until the parts are all committed.
};

class OutputCommitter::Part {
 public:
  ~Part();
  Status Append(std::string_view bytes);
  /// Syncs and closes. Must come before CommitPart.
  Status Finish();
  /// Bytes and hash of what was appended; the records are for the caller to fill in.
  PartInfo info() const;

 private:
  friend class OutputCommitter;
  Part(OutputCommitter& committer, std::string path, std::unique_ptr<WritableFile> file);

  OutputCommitter& committer_;
  const std::string path_;
  std::unique_ptr<WritableFile> file_;
  struct Hash;
  std::unique_ptr<Hash> hash_;
  std::uint64_t bytes_ = 0;
  std::uint64_t sync_started_bytes_ = 0;
  bool finished_ = false;
};

/// "part-00042".
std::string PartName(std::uint32_t part);

}  // namespace spillway
