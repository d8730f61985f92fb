#include "runtime/storage/journal_checkpointer.h"

#include <utility>

namespace spillway {

Result<std::unique_ptr<JournalCheckpointer>> JournalCheckpointer::Start(
    const std::string& path, std::uint32_t busy_timeout_ms) {
  SPILLWAY_ASSIGN_OR_RETURN(auto sqlite, SqliteDatabase::Open(path, busy_timeout_ms));
  return std::unique_ptr<JournalCheckpointer>(new JournalCheckpointer(std::move(sqlite)));
}

JournalCheckpointer::JournalCheckpointer(std::unique_ptr<SqliteDatabase> sqlite)
    : sqlite_(std::move(sqlite)), thread_([this] { Loop(); }) {}

JournalCheckpointer::~JournalCheckpointer() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void JournalCheckpointer::Wake() {
  {
    const std::lock_guard lock(mutex_);
    wanted_ = true;
  }
  changed_.notify_one();
}

Status JournalCheckpointer::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

void JournalCheckpointer::Loop() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return wanted_ || ending_; });
    if (!wanted_ || !status_.ok()) return;
    wanted_ = false;
    lock.unlock();
    // Passive: it stands in nobody's way, and leaves what others hold back to the next one.
    Status status = sqlite_->Run("PRAGMA wal_checkpoint(PASSIVE)");
    lock.lock();
    if (status.code() != Code::kUnavailable) status_ = std::move(status);
  }
}

}  // namespace spillway
