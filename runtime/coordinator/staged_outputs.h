// StagedOutputs: carries out what the coordinator's machine orders for the jobs' outputs. The
// thread that orders.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "mapreduce/base/file_system.h"
#include "runtime/coordinator/effects.h"

namespace spillway {

struct OutputDone {
  OutputOrder order;
  Status status;
  std::string staging_dir;  ///< Of a kOpen that went well.
};

class StagedOutputs {
 public:
  /// `files` outlives this.
  explicit StagedOutputs(FileSystem& files) : files_(files) {}

  /// Opens, publishes or removes. `order` moves into the answer; that of a kDrop is ok and for
  /// nobody.
  OutputDone Do(OutputOrder order);

 private:
  /// The job's staging, taken over where a former coordinator made it.
  Result<OutputStaging*> StagingOf(const OutputOrder& order);

  FileSystem& files_;
  std::map<JobId, std::unique_ptr<OutputStaging>> stagings_;
};

}  // namespace spillway
