// SqliteDatabase, SqliteStatement: SQLite with Status for its result codes and ownership for its
// handles. Each belongs to one thread; statements end before their database.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "mapreduce/base/status.h"

namespace spillway {

/// What a result code means to the caller: ResourceExhausted, the disk is full; DataLoss, the file
/// is damaged or the disk failed; Unavailable, another process kept it locked; PermissionDenied.
/// `database` was used last; may be null.
Status SqliteError(int code, sqlite3* database, const std::string& path);

/// A prepared statement. Bound bytes must live until Reset.
class SqliteStatement {
 public:
  SqliteStatement& Bind(int index, std::uint64_t value);
  SqliteStatement& BindBlob(int index, std::string_view bytes);
  SqliteStatement& BindText(int index, std::string_view text);

  /// True: a row is there, for the accessors. False: no more rows, and Reset was done.
  Result<bool> Step();
  /// For statements without rows.
  Status Run();
  void Reset();

  /// Columns of the row, from 0. Bytes live until the next Step or Reset.
  std::uint64_t Integer(int column) const;
  std::string_view Bytes(int column) const;

 private:
  friend class SqliteDatabase;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  SqliteStatement(sqlite3_stmt* statement, const std::string& path)
      : statement_(statement), path_(&path) {}
  Status Note(int code);

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  const std::string* path_;
  int bind_error_ = SQLITE_OK;
};

class SqliteDatabase {
 public:
  /// Opens a file that exists, without following a symbolic link.
  static Result<std::unique_ptr<SqliteDatabase>> Open(std::string path,
                                                      std::uint32_t busy_timeout_ms);

  Status Run(const char* sql);
  Result<SqliteStatement> Prepare(const char* sql);
  /// The first column of the first row.
  Result<std::string> ReadText(const char* sql);
  Result<std::uint64_t> ReadNumber(const char* sql);
  /// Undoes the open transaction, if there is one.
  void Rollback();

  const std::string& path() const { return path_; }

 private:
  struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  };
  explicit SqliteDatabase(std::string path) : path_(std::move(path)) {}

  const std::string path_;
  std::unique_ptr<sqlite3, Close> handle_;
};

}  // namespace spillway
