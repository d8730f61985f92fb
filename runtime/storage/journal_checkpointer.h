// JournalCheckpointer: moves what SQLite's write-ahead log holds into the database file, on a
// thread and a connection of its own, so that the coordinator's loop never waits for it: the two
// syncs of a checkpoint take 20 ms and more. Owned by the journal; Wake and status from one thread.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "mapreduce/base/status.h"
#include "runtime/storage/sqlite_database.h"

namespace spillway {

class JournalCheckpointer {
 public:
  /// `path` is a database in WAL mode. Errors as SqliteDatabase::Open.
  static Result<std::unique_ptr<JournalCheckpointer>> Start(const std::string& path,
                                                            std::uint32_t busy_timeout_ms);

  /// Ends a checkpoint that has begun, and one that was asked for.
  ~JournalCheckpointer();
  JournalCheckpointer(const JournalCheckpointer&) = delete;
  JournalCheckpointer& operator=(const JournalCheckpointer&) = delete;

  /// The log has grown: a checkpoint soon.
  void Wake();

  /// How the last one ended. A failure stays: the disk has failed, and what was not synced then
  /// may be reported as synced now.
  Status status() const;

 private:
  explicit JournalCheckpointer(std::unique_ptr<SqliteDatabase> sqlite);
  void Loop();

  const std::unique_ptr<SqliteDatabase> sqlite_;  // The thread's.
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool wanted_ = false, ending_ = false;  // Guarded by mutex_.
  Status status_;                         // Guarded by mutex_.
  std::thread thread_;
};

}  // namespace spillway
