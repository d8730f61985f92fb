#include "runtime/storage/job_journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <map>
#include <random>
#include <utility>

#include "mapreduce/base/check.h"
#include "mapreduce/base/units.h"
#include "runtime/storage/journal_checkpointer.h"
#include "runtime/storage/posix_error.h"
#include "runtime/storage/sqlite_database.h"
#include "runtime/storage/turn_rows.h"
#include "runtime/storage/unique_fd.h"
#include "shuffle/store/kill_point.h"

namespace spillway {
namespace {

constexpr std::uint64_t kApplicationId = 0x5350'4A4C;
constexpr std::uint64_t kVersion = 1;
// SQLite's own limit for a value is 10^9 bytes.
constexpr std::uint64_t kRowBytesMax = JobJournal::kRecordBytesMax;
/// Written since the last checkpoint: time for another one.
constexpr std::uint64_t kCheckpointBytes = 4 << 20;

constexpr const char* kSchema = R"(
CREATE TABLE holder (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  name TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  identity TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  since_unix_ms INTEGER NOT NULL,
  beat_unix_ms INTEGER NOT NULL);
CREATE TABLE turn_rows (
  row INTEGER PRIMARY KEY,
  turn INTEGER NOT NULL,
  job INTEGER NOT NULL,
  checksum INTEGER NOT NULL,
  records BLOB NOT NULL);
CREATE INDEX rows_of_job ON turn_rows (job);
CREATE TABLE history (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  job INTEGER NOT NULL,
  job_id TEXT NOT NULL UNIQUE,
  summary BLOB NOT NULL);
CREATE TABLE named_values (name TEXT PRIMARY KEY, bytes BLOB NOT NULL) WITHOUT ROWID;
PRAGMA application_id = 0x53504A4C;
PRAGMA user_version = 1;
)";

struct Holder {
  std::string name;
  std::uint64_t epoch = 0;
  std::string identity;
  std::string endpoint;
  std::uint64_t since_unix_ms = 0;
  std::uint64_t beat_unix_ms = 0;
};

std::string RandomName() {
  std::random_device random;
  std::string name;
  for (int i = 0; i < 4; ++i) {
    char digits[9];
    std::snprintf(digits, sizeof digits, "%08x", static_cast<unsigned>(random()));
    name += digits;
  }
  return name;
}

std::string TimeText(std::uint64_t unix_ms) {
  const auto seconds = static_cast<std::time_t>(unix_ms / 1000);
  std::tm parts = {};
  ::gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts);
  return text;
}

/// Makes directory and file where they are missing. The file is never opened when it is there:
/// closing it would drop the locks that this process may have on it through SQLite.
Status MakeFile(const std::string& directory, const std::string& path) {
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
    return PosixError(errno, "create", directory);
  const UniqueFd file(::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600));
  if (!file.valid()) {
    return errno == EEXIST ? OkStatus() : PosixError(errno, "create", path);
  }
  KillPoint("journal-file-made");
  const UniqueFd parent(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!parent.valid() || ::fsync(parent.get()) != 0) return PosixError(errno, "sync", directory);
  return OkStatus();
}

/// Whether the holder may still write. What cannot be seen from here is told by its beats.
bool IsAlive(const Holder& holder, const JournalOptions& options) {
  if (holder.identity.empty()) return false;
  const std::uint64_t silent_ms = options.now_unix_ms > holder.beat_unix_ms
                                      ? options.now_unix_ms - holder.beat_unix_ms
                                      : holder.beat_unix_ms - options.now_unix_ms;
  const bool beats = silent_ms < options.beat_timeout_ms;
  const auto process = ProcessIdentity::Parse(holder.identity);
  if (!process.has_value()) return beats;
  const bool visible = process->host == options.identity.host &&
                       process->pid_namespace == options.identity.pid_namespace;
  return visible ? !process->IsDead() : beats;
}

Status HeldError(const Holder& holder, const std::string& path) {
  const auto process = ProcessIdentity::Parse(holder.identity);
  std::string who = process.has_value() ? "process " + std::to_string(process->pid) + " on host " +
                                              EscapeForLog(process->host)
                                        : "a process that cannot be told";
  return AlreadyExists(path + " is held by another coordinator: " + who + ", endpoint " +
                       EscapeForLog(holder.endpoint) + ", since " + TimeText(holder.since_unix_ms) +
                       "; stop that one first, or give this one another directory");
}

/// InvalidArgument: not ours, or of a newer program. True when there is a schema already.
Result<bool> CheckKind(SqliteDatabase& database) {
  SPILLWAY_ASSIGN_OR_RETURN(const std::uint64_t application,
                            database.ReadNumber("PRAGMA application_id"));
  SPILLWAY_ASSIGN_OR_RETURN(const std::uint64_t version,
                            database.ReadNumber("PRAGMA user_version"));
  SPILLWAY_ASSIGN_OR_RETURN(const std::uint64_t tables,
                            database.ReadNumber("SELECT count(*) FROM sqlite_master"));
  if (application == 0 && version == 0 && tables == 0) return false;
  if (application != kApplicationId) {
    return InvalidArgument(database.path() +
                           " is a database of another program: give the coordinator a directory "
                           "of its own");
  }
  if (version != kVersion) {
    return InvalidArgument(database.path() + " is a journal of version " + std::to_string(version) +
                           ", and this program knows version " + std::to_string(kVersion) +
                           ": use the program that wrote it, or another directory");
  }
  return true;
}

Status CheckWhole(SqliteDatabase& database) {
  SPILLWAY_ASSIGN_OR_RETURN(const std::string verdict, database.ReadText("PRAGMA quick_check(1)"));
  if (verdict == "ok") return OkStatus();
  return DataLoss(database.path() + " is damaged: " + EscapeForLog(verdict) +
                  "; move it and the files beside it (-wal, -shm) away to start with an empty "
                  "journal");
}

}  // namespace

class JobJournal::Database {
 public:
  explicit Database(std::unique_ptr<SqliteDatabase> sqlite) : sqlite_(std::move(sqlite)) {}

  Status TakeOver(const JournalOptions& options, bool is_new);
  Status Prepare();
  Status StartCheckpoints(std::uint32_t busy_timeout_ms);
  void GiveUp();

  Status Commit(Durability durability);
  Status Beat(std::uint64_t now_unix_ms);
  Status Load(const std::function<Status(JobId, std::string_view)>& take);
  Result<std::optional<std::string>> GetValue(std::string_view name);
  Result<std::vector<EndedJob>> History(std::uint32_t limit, std::uint64_t before);

  // What the next Commit writes.
  TurnRows rows{kRowBytesMax};
  std::vector<JobId> cleared;
  std::vector<EndedJob> ended;
  std::map<std::string, std::string, std::less<>> values;
  std::optional<std::uint64_t> history_max;

  Holder holder;

 private:
  Result<Holder> ReadHolder();
  Status InTransaction(const std::function<Status()>& write);
  Status CheckEpoch();
  Status Synchronous(Durability durability);
  Status WriteTurn();
  void ClearTurn();

  std::unique_ptr<SqliteDatabase> sqlite_;
  std::optional<SqliteStatement> epoch_, insert_row_, clear_job_, insert_ended_, set_value_;
  std::optional<SqliteStatement> get_value_, history_, trim_history_, beat_;
  Durability synchronous_ = Durability::kDurable;
  std::uint64_t turn_ = 0;
  bool unsynced_ = false;        // Turns since the last durable one.
  std::uint64_t log_bytes_ = 0;  // Since the last checkpoint.
  Status failed_;
  std::unique_ptr<JournalCheckpointer> checkpointer_;
};

// --- Opening.

Result<std::unique_ptr<JobJournal>> JobJournal::Open(const JournalOptions& options) {
  const std::string path = options.directory + "/journal.db";
  SPILLWAY_RETURN_IF_ERROR(MakeFile(options.directory, path));
  SPILLWAY_ASSIGN_OR_RETURN(auto sqlite, SqliteDatabase::Open(path, options.busy_timeout_ms));
  SPILLWAY_ASSIGN_OR_RETURN(const bool is_there, CheckKind(*sqlite));
  SPILLWAY_ASSIGN_OR_RETURN(const std::string mode, sqlite->ReadText("PRAGMA journal_mode = WAL"));
  if (mode != "wal") {
    return InvalidArgument(path +
                           " cannot be kept in WAL mode on this file system: give the "
                           "coordinator a directory on a local disk");
  }
  SPILLWAY_RETURN_IF_ERROR(sqlite->Run("PRAGMA synchronous = FULL"));
  if (is_there) SPILLWAY_RETURN_IF_ERROR(CheckWhole(*sqlite));
  auto database = std::make_unique<Database>(std::move(sqlite));
  SPILLWAY_RETURN_IF_ERROR(database->TakeOver(options, !is_there));
  SPILLWAY_RETURN_IF_ERROR(database->Prepare());
  SPILLWAY_RETURN_IF_ERROR(database->StartCheckpoints(options.busy_timeout_ms));
  return std::unique_ptr<JobJournal>(new JobJournal(std::move(database)));
}

Status JobJournal::Database::TakeOver(const JournalOptions& options, bool is_new) {
  const Status status = [&]() -> Status {
    SPILLWAY_RETURN_IF_ERROR(sqlite_->Run("BEGIN IMMEDIATE"));
    if (is_new) {
      // Two may come at once; the second finds what the first made.
      SPILLWAY_ASSIGN_OR_RETURN(const bool is_there, CheckKind(*sqlite_));
      if (!is_there) {
        SPILLWAY_RETURN_IF_ERROR(sqlite_->Run(kSchema));
        SPILLWAY_ASSIGN_OR_RETURN(
            auto insert, sqlite_->Prepare("INSERT INTO holder VALUES (1, ?, 0, '', '', 0, 0)"));
        const std::string name = RandomName();
        SPILLWAY_RETURN_IF_ERROR(insert.BindText(1, name).Run());
      }
    }
    SPILLWAY_ASSIGN_OR_RETURN(holder, ReadHolder());
    if (IsAlive(holder, options)) return HeldError(holder, sqlite_->path());
    ++holder.epoch;
    holder.identity = options.identity.Format();
    holder.endpoint = options.endpoint;
    holder.since_unix_ms = holder.beat_unix_ms = options.now_unix_ms;
    SPILLWAY_ASSIGN_OR_RETURN(
        auto update, sqlite_->Prepare("UPDATE holder SET epoch = ?, identity = ?, endpoint = ?, "
                                      "since_unix_ms = ?, beat_unix_ms = ?"));
    update.Bind(1, holder.epoch).BindText(2, holder.identity).BindText(3, holder.endpoint);
    update.Bind(4, holder.since_unix_ms).Bind(5, holder.beat_unix_ms);
    SPILLWAY_RETURN_IF_ERROR(update.Run());
    SPILLWAY_ASSIGN_OR_RETURN(turn_, sqlite_->ReadNumber("SELECT max(turn) FROM turn_rows"));
    KillPoint("journal-taking");
    return sqlite_->Run("COMMIT");
  }();
  KillPoint("journal-taken");
  if (!status.ok()) sqlite_->Rollback();
  return status;
}

Result<Holder> JobJournal::Database::ReadHolder() {
  SPILLWAY_ASSIGN_OR_RETURN(auto select,
                            sqlite_->Prepare("SELECT name, epoch, identity, endpoint, "
                                             "since_unix_ms, beat_unix_ms FROM holder"));
  SPILLWAY_ASSIGN_OR_RETURN(const bool row, select.Step());
  if (!row) return DataLoss(sqlite_->path() + " has lost its holder row: it is damaged");
  Holder found;
  found.name = select.Bytes(0);
  found.epoch = select.Integer(1);
  found.identity = select.Bytes(2);
  found.endpoint = select.Bytes(3);
  found.since_unix_ms = select.Integer(4);
  found.beat_unix_ms = select.Integer(5);
  return found;
}

Status JobJournal::Database::Prepare() {
  const std::pair<std::optional<SqliteStatement>*, const char*> statements[] = {
      {&epoch_, "SELECT epoch FROM holder"},
      {&insert_row_, "INSERT INTO turn_rows (turn, job, checksum, records) VALUES (?, ?, ?, ?)"},
      {&clear_job_, "DELETE FROM turn_rows WHERE job = ?"},
      {&insert_ended_,
       "INSERT INTO history (job, job_id, summary) VALUES (?, ?, ?)"
       " ON CONFLICT (job_id) DO UPDATE SET summary = excluded.summary"},
      {&set_value_, "INSERT OR REPLACE INTO named_values VALUES (?, ?)"},
      {&get_value_, "SELECT bytes FROM named_values WHERE name = ?"},
      {&history_,
       "SELECT sequence, job, job_id, summary FROM history WHERE sequence < ?"
       " ORDER BY sequence DESC LIMIT ?"},
      {&trim_history_,
       "DELETE FROM history WHERE sequence <="
       " (SELECT max(sequence) FROM history) - ?"},
      {&beat_, "UPDATE holder SET beat_unix_ms = ?"},
  };
  for (const auto& [statement, sql] : statements) {
    SPILLWAY_ASSIGN_OR_RETURN(*statement, sqlite_->Prepare(sql));
  }
  return OkStatus();
}

Status JobJournal::Database::StartCheckpoints(std::uint32_t busy_timeout_ms) {
  // The log begins anew only after a checkpoint that nobody wrote beside. Under load there is none
  // of those, so when it has 256 MiB the writer itself finishes what the other thread has begun.
  SPILLWAY_RETURN_IF_ERROR(sqlite_->Run("PRAGMA wal_autocheckpoint = 65536"));
  SPILLWAY_ASSIGN_OR_RETURN(checkpointer_,
                            JournalCheckpointer::Start(sqlite_->path(), busy_timeout_ms));
  return OkStatus();
}

void JobJournal::Database::GiveUp() {
  if (!failed_.ok()) return;
  const Status status =
      InTransaction([this] { return sqlite_->Run("UPDATE holder SET identity = ''"); });
  static_cast<void>(status.ok());  // Whoever comes next then waits for the beats to end.
}

// --- Writing.

Status JobJournal::Database::CheckEpoch() {
  SPILLWAY_ASSIGN_OR_RETURN(const bool row, epoch_->Step());
  const std::uint64_t epoch = row ? epoch_->Integer(0) : 0;
  epoch_->Reset();
  if (epoch == holder.epoch) return OkStatus();
  return Aborted("another coordinator has taken over " + sqlite_->path() + " (epoch " +
                 std::to_string(epoch) + ", this one's is " + std::to_string(holder.epoch) +
                 "): this one stops");
}

Status JobJournal::Database::InTransaction(const std::function<Status()>& write) {
  if (!failed_.ok()) return failed_;
  Status status = sqlite_->Run("BEGIN IMMEDIATE");
  KillPoint("journal-begun");
  if (status.ok()) status = CheckEpoch();
  if (status.ok()) status = write();
  KillPoint("journal-written");
  if (status.ok()) status = sqlite_->Run("COMMIT");
  KillPoint("journal-committed");
  if (status.ok()) return status;
  sqlite_->Rollback();
  return failed_ = status;
}

Status JobJournal::Database::Synchronous(Durability durability) {
  if (durability == synchronous_) return OkStatus();
  synchronous_ = durability;
  return sqlite_->Run(durability == Durability::kDurable ? "PRAGMA synchronous = FULL"
                                                         : "PRAGMA synchronous = NORMAL");
}

Status JobJournal::Database::Commit(Durability durability) {
  if (!failed_.ok()) return failed_;
  const bool empty = rows.empty() && cleared.empty() && ended.empty() && values.empty() &&
                     !history_max.has_value();
  const bool sync = durability == Durability::kDurable && unsynced_;
  if (empty && !sync) return OkStatus();
  if (const Status status = checkpointer_->status(); !status.ok()) return failed_ = status;
  if (const Status status = Synchronous(durability); !status.ok()) return failed_ = status;
  SPILLWAY_RETURN_IF_ERROR(InTransaction([this] { return WriteTurn(); }));
  unsynced_ = durability != Durability::kDurable;
  ClearTurn();
  if (log_bytes_ >= kCheckpointBytes) {
    log_bytes_ = 0;
    checkpointer_->Wake();
  }
  return OkStatus();
}

Status JobJournal::Database::WriteTurn() {
  ++turn_;
  for (const JobId job : cleared) SPILLWAY_RETURN_IF_ERROR(clear_job_->Bind(1, job).Run());
  for (const TurnRows::Row& row : rows.rows()) {
    insert_row_->Bind(1, turn_).Bind(2, row.job);
    insert_row_->Bind(3, TurnRowChecksum(turn_, row.job, row.records));
    SPILLWAY_RETURN_IF_ERROR(insert_row_->BindBlob(4, row.records).Run());
    log_bytes_ += row.records.size();
  }
  for (const EndedJob& job : ended) {
    insert_ended_->Bind(1, job.job).BindText(2, job.job_id).BindBlob(3, job.summary);
    SPILLWAY_RETURN_IF_ERROR(insert_ended_->Run());
  }
  for (const auto& [name, bytes] : values)
    SPILLWAY_RETURN_IF_ERROR(set_value_->BindText(1, name).BindBlob(2, bytes).Run());
  if (history_max.has_value()) SPILLWAY_RETURN_IF_ERROR(trim_history_->Bind(1, *history_max).Run());
  // A turn that only makes those before it durable must write something to be synced.
  if (rows.empty() && cleared.empty() && ended.empty() && values.empty())
    return beat_->Bind(1, holder.beat_unix_ms).Run();
  return OkStatus();
}

void JobJournal::Database::ClearTurn() {
  rows.Clear();
  cleared.clear();
  ended.clear();
  values.clear();
  history_max.reset();
}

Status JobJournal::Database::Beat(std::uint64_t now_unix_ms) {
  if (!failed_.ok()) return failed_;
  if (const Status status = Synchronous(Durability::kProcess); !status.ok())
    return failed_ = status;
  holder.beat_unix_ms = now_unix_ms;
  return InTransaction([&] { return beat_->Bind(1, now_unix_ms).Run(); });
}

// --- Reading.

Status JobJournal::Database::Load(const std::function<Status(JobId, std::string_view)>& take) {
  SPILLWAY_ASSIGN_OR_RETURN(
      auto select,
      sqlite_->Prepare("SELECT row, turn, job, checksum, records FROM turn_rows ORDER BY row"));
  std::vector<TurnRows::Row> turn_rows;
  std::vector<TurnRecord> records;
  std::uint64_t turn = 0;
  const auto give_turn = [&]() -> Status {
    records.clear();
    for (const TurnRows::Row& row : turn_rows) SPILLWAY_RETURN_IF_ERROR(ParseTurnRow(row, records));
    if (turn_rows.size() > 1) {
      std::sort(records.begin(), records.end(),
                [](const TurnRecord& a, const TurnRecord& b) { return a.position < b.position; });
    }
    for (const TurnRecord& record : records)
      SPILLWAY_RETURN_IF_ERROR(take(record.job, record.record));
    turn_rows.clear();
    return OkStatus();
  };
  for (;;) {
    SPILLWAY_ASSIGN_OR_RETURN(const bool more, select.Step());
    if (!turn_rows.empty() && (!more || select.Integer(1) != turn))
      SPILLWAY_RETURN_IF_ERROR(give_turn());
    if (!more) return OkStatus();
    turn = select.Integer(1);
    turn_rows.push_back({select.Integer(2), std::string(select.Bytes(4))});
    const TurnRows::Row& row = turn_rows.back();
    if (TurnRowChecksum(turn, row.job, row.records) != select.Integer(3)) {
      return DataLoss(sqlite_->path() + ", row " + std::to_string(select.Integer(0)) +
                      " of turn_rows: its checksum is wrong: the journal is damaged; move it and "
                      "the files beside it away to start with an empty one");
    }
  }
}

Result<std::optional<std::string>> JobJournal::Database::GetValue(std::string_view name) {
  SPILLWAY_ASSIGN_OR_RETURN(const bool row, get_value_->BindText(1, name).Step());
  std::optional<std::string> value;
  if (row) value = get_value_->Bytes(0);
  get_value_->Reset();
  return value;
}

namespace {

EndedJob TakeEnded(const SqliteStatement& row) {
  return {row.Integer(0), row.Integer(1), std::string(row.Bytes(2)), std::string(row.Bytes(3))};
}

}  // namespace

Result<std::vector<EndedJob>> JobJournal::Database::History(std::uint32_t limit,
                                                            std::uint64_t before) {
  std::vector<EndedJob> jobs;
  history_->Bind(1, std::min(before, std::uint64_t{INT64_MAX})).Bind(2, limit);
  for (;;) {
    SPILLWAY_ASSIGN_OR_RETURN(const bool row, history_->Step());
    if (!row) return jobs;
    jobs.push_back(TakeEnded(*history_));
  }
}

// --- The journal.

JobJournal::JobJournal(std::unique_ptr<Database> database) : database_(std::move(database)) {}
JobJournal::~JobJournal() { database_->GiveUp(); }

std::uint64_t JobJournal::epoch() const { return database_->holder.epoch; }
const std::string& JobJournal::name() const { return database_->holder.name; }

Status JobJournal::Load(const std::function<Status(JobId, std::string_view)>& take) {
  return database_->Load(take);
}

void JobJournal::Append(JobId job, std::string_view record) {
  SPILLWAY_CHECK_LE(record.size(), kRecordBytesMax);
  database_->rows.Append(job, record);
}

void JobJournal::EndJob(JobId job, std::string_view job_id, std::string_view summary) {
  Clear(job);
  database_->ended.push_back({0, job, std::string(job_id), std::string(summary)});
}

void JobJournal::Clear(JobId job) {
  database_->rows.Drop(job);
  database_->cleared.push_back(job);
}

void JobJournal::SetValue(std::string_view name, std::string_view bytes) {
  database_->values[std::string(name)] = bytes;
}

void JobJournal::TrimHistory(std::uint64_t entries) { database_->history_max = entries; }

Status JobJournal::Commit(Durability durability) { return database_->Commit(durability); }
Status JobJournal::Beat(std::uint64_t now_unix_ms) { return database_->Beat(now_unix_ms); }

Result<std::optional<std::string>> JobJournal::GetValue(std::string_view name) {
  return database_->GetValue(name);
}
Result<std::vector<EndedJob>> JobJournal::History(std::uint32_t limit, std::uint64_t before) {
  return database_->History(limit, before);
}
}  // namespace spillway
