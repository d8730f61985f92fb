// RemoteRunner: the JobRunner of a cluster. The job is planned here, exactly as the embedded runner
// would plan it, and handed to a coordinator; from then on it goes on without this process.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "mapreduce/base/status.h"
#include "runtime/client/coordinator_client.h"
#include "runtime/local/job_runner.h"
#include "runtime/local/job_spec.h"

namespace spillway {

/// Connects to the coordinator; the note is called on the thread that calls.
using CoordinatorConnector =
    std::function<Result<std::unique_ptr<CoordinatorCalls>>(WaitNote note)>;

struct RemoteOptions {
  CoordinatorConnector connect;
  std::string coordinator;  ///< Its endpoint, for people.
  SubmissionOptions submission;
  std::uint64_t connect_timeout_ms = 30'000;  ///< Until the job is accepted.
  bool kill_on_cancel = true;  ///< Cancel kills the job; otherwise it only ends the waiting.
};

struct AcceptedJob {
  std::string job_id;
  bool reattached = false;  ///< The submission key was known: the job was there already.
};

class RemoteRunner : public JobRunner {
 public:
  /// Loads the plugin, checks the request, lists the inputs and plans. Writes nothing and talks to
  /// nobody yet.
  static Result<std::unique_ptr<RemoteRunner>> Prepare(const JobRequest& request,
                                                       RemoteOptions options);

  /// Samples what must be sampled and hands the job over. Unavailable: the coordinator cannot be
  /// reached. Once it was accepted, called again it answers the same.
  virtual Result<AcceptedJob> Submit() = 0;

  /// Submit, and wait for the end, however long the coordinator is away meanwhile. The report has
  /// no job_id when the job was not accepted.
  JobReport Run() override = 0;
};

}  // namespace spillway
