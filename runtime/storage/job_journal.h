// JobJournal: the coordinator's memory on disk, one SQLite database in WAL mode. It keeps records
// of bytes, in order, for each job that has not ended; a line of history for each that has; and a
// few named values. It knows nothing of what the records mean. Layout, durability and recovery:
// docs/formats/journal.md. One thread (it has
// another one of its own, for checkpoints).
//
//   auto journal = JobJournal::Open(options);      // Takes over, or says who holds it.
//   journal->Load([&](JobId job, std::string_view record) { ... });
//   for each turn of the loop:
//     journal->Append(job, record); ...            // Nothing is written yet.
//     journal->Commit(Durability::kDurable);       // One transaction; then act on it.
//
// After a Commit that failed nothing is known of what it held: the caller stops, and a coordinator
// that starts again reads what is there. Every later call answers the same failure.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mapreduce/base/status.h"
#include "runtime/core/attempt_id.h"
#include "runtime/storage/process_identity.h"

namespace spillway {

struct JournalOptions {
  std::string directory;  ///< Made when it is missing. On a disk of this host, not on NFS.
  std::string endpoint;   ///< Where this coordinator can be reached; for whoever finds it here.
  std::uint64_t now_unix_ms = 0;
  /// A holder on another host counts as alive for so long after its last Beat.
  std::uint64_t beat_timeout_ms = 30'000;
  /// Another process that is reading or writing the file is waited for so long.
  std::uint32_t busy_timeout_ms = 5'000;
  ProcessIdentity identity = ProcessIdentity::Self();
};

enum class Durability : std::uint8_t {
  kProcess,  ///< Outlives this process; a power cut may take the last turns.
  kDurable,  ///< Outlives a power cut, and so does every turn before it.
};

struct EndedJob {
  std::uint64_t sequence = 0;  ///< Grows with each; for History.
  JobId job = 0;
  std::string job_id;
  std::string summary;
};

class JobJournal {
 public:
  /// One record may not be larger. A JobSpec of a million maps takes about 100 MB.
  static constexpr std::uint64_t kRecordBytesMax = 512u << 20;

  /// Opens DIRECTORY/journal.db, or creates it, and takes over from its last holder.
  /// AlreadyExists: another coordinator that is alive holds it; host, pid, endpoint and since when
  /// are named. InvalidArgument: the file is no journal, or of a newer version. DataLoss: it is
  /// damaged. PermissionDenied, ResourceExhausted: as the file system says.
  static Result<std::unique_ptr<JobJournal>> Open(const JournalOptions& options);

  /// Gives it up, unless another took over; the next Open then need not wait for beats to end.
  ~JobJournal();
  JobJournal(const JobJournal&) = delete;
  JobJournal& operator=(const JobJournal&) = delete;

  /// Greater with each Open of this file, from 1.
  std::uint64_t epoch() const;
  /// Random, made with the file: tells this journal from others.
  const std::string& name() const;

  /// Calls take(job, record) for every record of jobs that have not ended, in the order of Append,
  /// across all jobs; stops at the first failure and answers it. DataLoss: a row is damaged; it
  /// names the row, and records before it were given. Views live until take returns.
  Status Load(const std::function<Status(JobId job, std::string_view record)>& take);

  // --- What the next Commit writes.

  /// Job 0 is nobody's: for records that belong to the cluster.
  void Append(JobId job, std::string_view record);
  /// Removes the job's records, those of this turn included, and adds it to the history.
  void EndJob(JobId job, std::string_view job_id, std::string_view summary);
  /// Removes the job's records; what is appended in this turn afterwards stays. For job 0, when
  /// no other job has records: their order with the new ones is then no matter.
  void Clear(JobId job);
  void SetValue(std::string_view name, std::string_view bytes);

  /// Writes the turn in one transaction; nothing when nothing was put in. Aborted: another
  /// coordinator has taken over, nothing was written. ResourceExhausted: the disk is full.
  /// DataLoss: the disk failed. The caller stops after any of them.
  Status Commit(Durability durability);

  /// Shows that this coordinator is alive. Aborted: another has taken over.
  Status Beat(std::uint64_t now_unix_ms);

  // --- What was committed.

  Result<std::optional<std::string>> GetValue(std::string_view name);
  /// Jobs that ended, the last one first, at most `limit`, with sequences below `before`.
  Result<std::vector<EndedJob>> History(std::uint32_t limit, std::uint64_t before = UINT64_MAX);
  /// Keeps the last `entries` of the history. Part of the next Commit.
  void TrimHistory(std::uint64_t entries);

 private:
  class Database;
  explicit JobJournal(std::unique_ptr<Database> database);
  std::unique_ptr<Database> database_;
};

}  // namespace spillway
