// Effects: everything the coordinator's machine asks its shell to do in one turn. The shell writes
// the records first, in their order and as one transaction, and only then sends and does the rest:
// whatever others see was journalled before.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/core/attempt_id.h"
#include "runtime/storage/output_staging.h"

namespace spillway {

/// A frame for a peer of the control socket. A peer that is gone is no error: it comes back.
struct SendFrame {
  std::string peer;
  std::string frame;
};

/// A journal.proto JournalRecord, serialised. Job 0: the cluster's own.
struct AppendRecord {
  JobId job = 0;
  std::string bytes;
};

/// The job is over: its records go, and this is what is kept of it (a wire::JobState).
struct ArchiveJob {
  JobId job = 0;
  std::string job_id;
  std::string summary;
};

/// What the output thread does; each but kDrop is answered by OnOutputDone with the same job.
struct OutputOrder {
  enum class Kind : std::uint8_t {
    kOpen,    ///< Make the staging directory, anew where a former coordinator began it.
    kCommit,  ///< Publish these parts.
    kDrop,    ///< Remove what is staged. No answer.
  };
  Kind kind = Kind::kOpen;
  JobId job = 0;
  StagingOptions staging;
  std::string staging_dir;  ///< Empty in kOpen, and in kDrop of a job that was not opened.
  std::string manifest_head;
  std::vector<CommittedPart> parts;
};

/// A piece of a file that a worker asked for; answered straight to the peer.
struct FileOrder {
  std::string peer;
  std::uint64_t request = 0;
  std::string path;
  std::string sha256;  ///< Nothing else is served: it was named by whoever submitted the job.
  std::uint64_t offset = 0;
};

struct Effects {
  std::vector<AppendRecord> records;
  bool durable = false;  ///< The records must be on the disk before anything else happens.
  std::vector<ArchiveJob> archived;
  std::vector<SendFrame> frames;
  std::vector<OutputOrder> outputs;
  std::vector<FileOrder> files;
  std::vector<std::string> log;  ///< Lines for people.

  bool empty() const {
    return records.empty() && archived.empty() && frames.empty() && outputs.empty() &&
           files.empty() && log.empty();
  }
};

}  // namespace spillway
