// OutputStaging: a job's output appears as a whole or not at all. Everything is written to a
// staging directory beside the output directory:
//
//   .NAME.spillway-JOB/                  staging, with an owner marker
//     attempts/part-00003.1              one attempt of one part (part_file.h)
//     attempts/part-00003.1.0            what it wrote to a further directory of the output
//     part-00003                         the attempt whose commit was granted
//     errors/part-00003                  the same, with a manifest of their own
//     _manifest.json _SUCCESS            what the parts are; written last
//
// and becomes the output directory by one rename that replaces nothing. With `overwrite` an
// existing output directory changes places with the staging directory in one step and is removed
// afterwards; or only those of its directories do that the job has written to. Files are synced
// before they are renamed, directories afterwards, unless the output need not be durable. One
// thread, that of whoever runs the job; attempts write elsewhere.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "mapreduce/base/file_system.h"
#include "runtime/storage/directory_exchange.h"
#include "runtime/storage/output_place.h"
#include "runtime/storage/output_tree.h"

namespace spillway {

struct StagingOptions {
  std::string output_dir;
  std::string job_id;  ///< Letters, digits, '-', '_' and '.'; never used twice.
  std::uint32_t parts = 0;
  /// kDirectories: only the directories that the job writes to are replaced, each in one step
  /// (directory_exchange.h), and the others stay. An output that is not there appears as a whole.
  Overwrite overwrite = Overwrite::kNothing;
  bool has_parts = true;  ///< False: tasks write to directories alone.
  bool durable = true;    ///< False: a power cut soon after the commit may lose the output.
  /// Who the staging directory belongs to. Empty: this process, and what it leaves when it is
  /// killed is removed by the next job for the same output. Otherwise the directory waits for an
  /// Adopt with the same text.
  std::string owner;
};

/// Removes what jobs that died while they worked on this output left beside it: directories that
/// carry our marker, of processes that are gone.
void RemoveLeftovers(FileSystem& files, const std::string& output_dir);

class OutputStaging {
 public:
  /// Creates the staging directory, after removing what a dead job left for the same output, or
  /// what an earlier Create for the same job and owner did. AlreadyExists when something is in
  /// the output's place (output_place.h). `files` outlives the staging.
  static Result<std::unique_ptr<OutputStaging>> Create(FileSystem& files,
                                                       const StagingOptions& options);

  /// Takes over the `staging_dir` that an earlier Create with these options made, whatever became
  /// of it since, a finished CommitJob included. DataLoss: the directory is gone or not this
  /// owner's, and the parts in it are lost.
  static Result<std::unique_ptr<OutputStaging>> Adopt(FileSystem& files,
                                                      const StagingOptions& options,
                                                      const std::string& staging_dir);

  /// With an owner of its own the staging directory stays; else as Discard.
  ~OutputStaging();

  /// Removes the staging directory unless the job was committed. Parts that are still being
  /// written then go nowhere.
  void Discard();

  /// Publishes exactly the files of these attempts, one for each part, with those of further
  /// directories, and nothing else that lies in the staging directory. `manifest_head` is put into
  /// the manifests: further `"key": value,` lines, or nothing. The same call again, after a crash
  /// at any point of the first, finishes it; after its end it changes nothing and answers ok.
  Status CommitJob(const std::string& manifest_head, std::span<const CommittedPart> winners);

  const std::string& staging_dir() const { return staging_; }

 private:
  OutputStaging(FileSystem& files, StagingOptions options, std::string staging);
  static Result<StagingOptions> Check(const StagingOptions& options);
  Status Prepare();
  Status Mark();
  std::string OwnerText() const;
  std::string ManifestPath() const;
  bool IsPublished();
  bool HasManifests(const OutputTree& tree, const std::string& manifest_head);
  std::string InStaging(const std::string& directory) const;
  Status Assemble(const OutputTree& tree, const std::string& manifest_head);
  Status MoveFile(const std::string& directory, const OutputFile& file);
  Status RemoveLitter(const std::string& directory, std::set<std::string> kept);
  Status WriteFile(const std::string& path, const std::string& text);
  DirectoryExchange Exchange() const;
  Status Publish();
  Status PublishDirectories(const OutputTree& tree, const std::string& manifest_head);
  void CleanUp();

  FileSystem& files_;
  const StagingOptions options_;  ///< output_dir without trailing slashes.
  const std::string staging_;
  bool committed_ = false;           ///< Or not ours: nothing to discard.
  bool done_ = false;                ///< CommitJob has ended well.
  std::vector<std::string> marked_;  ///< Directories of the output that have a mark.
  Status gone_;                      ///< Not ok: an adopted staging directory is not there.
};

}  // namespace spillway
