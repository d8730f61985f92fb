#include "runtime/storage/sqlite_database.h"

#include <cerrno>
#include <system_error>
#include <utility>

#include "mapreduce/base/units.h"

namespace spillway {

Status SqliteError(int code, sqlite3* database, const std::string& path) {
  const int error = database != nullptr ? sqlite3_system_errno(database) : 0;
  std::string what = EscapeForLog(path, 4096) + ": " +
                     (database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code));
  const int primary = code & 0xff;
  const bool system_failed = primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN;
  if (system_failed && error != 0) what += " (" + std::generic_category().message(error) + ")";
  if (primary == SQLITE_FULL || (system_failed && (error == ENOSPC || error == EDQUOT)))
    return ResourceExhausted(what + "; free space on its disk and start again");
  switch (primary) {
    case SQLITE_IOERR: return DataLoss(what + "; the disk may be failing: see the kernel's log");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return DataLoss(what +
                      "; the file is damaged: move it and the files beside it (-wal, -shm) away "
                      "to start with an empty one");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Unavailable(what + "; another process works on it: try again when it is done");
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY:
      return PermissionDenied(what + "; check owner and mode of the file and its directory");
    case SQLITE_NOMEM: return ResourceExhausted(what + "; free memory");
    case SQLITE_TOOBIG: return InvalidArgument(what + "; a row is larger than SQLite allows");
    default: return InternalError(what + " (SQLite code " + std::to_string(code) + ")");
  }
}

// --- Statements.

SqliteStatement& SqliteStatement::Bind(int index, std::uint64_t value) {
  const int code = sqlite3_bind_int64(statement_.get(), index, static_cast<sqlite3_int64>(value));
  if (code != SQLITE_OK) bind_error_ = code;
  return *this;
}

SqliteStatement& SqliteStatement::BindBlob(int index, std::string_view bytes) {
  // An empty view may be null, which SQLite would take as NULL.
  const char* const data = bytes.empty() ? "" : bytes.data();
  const int code = sqlite3_bind_blob64(statement_.get(), index, data, bytes.size(), SQLITE_STATIC);
  if (code != SQLITE_OK) bind_error_ = code;
  return *this;
}

SqliteStatement& SqliteStatement::BindText(int index, std::string_view text) {
  const char* const data = text.empty() ? "" : text.data();
  const int code =
      sqlite3_bind_text64(statement_.get(), index, data, text.size(), SQLITE_STATIC, SQLITE_UTF8);
  if (code != SQLITE_OK) bind_error_ = code;
  return *this;
}

Result<bool> SqliteStatement::Step() {
  if (bind_error_ != SQLITE_OK) return Note(std::exchange(bind_error_, SQLITE_OK));
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) return Note(code);
  Reset();
  return false;
}

Status SqliteStatement::Note(int code) {
  const Status status = SqliteError(code, sqlite3_db_handle(statement_.get()), *path_);
  Reset();
  return status;
}

Status SqliteStatement::Run() {
  SPILLWAY_ASSIGN_OR_RETURN(const bool row, Step());
  if (row) Reset();
  return OkStatus();
}

void SqliteStatement::Reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
}

std::uint64_t SqliteStatement::Integer(int column) const {
  return static_cast<std::uint64_t>(sqlite3_column_int64(statement_.get(), column));
}

std::string_view SqliteStatement::Bytes(int column) const {
  const void* const data = sqlite3_column_blob(statement_.get(), column);
  const int bytes = sqlite3_column_bytes(statement_.get(), column);
  if (data == nullptr) return {};
  return {static_cast<const char*>(data), static_cast<std::size_t>(bytes)};
}

// --- The database.

Result<std::unique_ptr<SqliteDatabase>> SqliteDatabase::Open(std::string path,
                                                             std::uint32_t busy_timeout_ms) {
  std::unique_ptr<SqliteDatabase> database(new SqliteDatabase(std::move(path)));
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(
      database->path_.c_str(), &handle,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE,
      nullptr);
  database->handle_.reset(handle);
  if (code != SQLITE_OK) return SqliteError(code, handle, database->path_);
  sqlite3_busy_timeout(handle, static_cast<int>(busy_timeout_ms));
  return database;
}

Status SqliteDatabase::Run(const char* sql) {
  const int code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? OkStatus() : SqliteError(code, handle_.get(), path_);
}

Result<SqliteStatement> SqliteDatabase::Prepare(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  const int code =
      sqlite3_prepare_v3(handle_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return SqliteError(code, handle_.get(), path_);
  return SqliteStatement(statement, path_);
}

Result<std::string> SqliteDatabase::ReadText(const char* sql) {
  SPILLWAY_ASSIGN_OR_RETURN(SqliteStatement statement, Prepare(sql));
  SPILLWAY_ASSIGN_OR_RETURN(const bool row, statement.Step());
  return row ? std::string(statement.Bytes(0)) : std::string();
}

Result<std::uint64_t> SqliteDatabase::ReadNumber(const char* sql) {
  SPILLWAY_ASSIGN_OR_RETURN(SqliteStatement statement, Prepare(sql));
  SPILLWAY_ASSIGN_OR_RETURN(const bool row, statement.Step());
  return row ? statement.Integer(0) : 0;
}

void SqliteDatabase::Rollback() {
  if (sqlite3_get_autocommit(handle_.get()) != 0) return;
  const Status status = Run("ROLLBACK");
  static_cast<void>(status.ok());  // SQLite rolls back by itself when it could not.
}

}  // namespace spillway
