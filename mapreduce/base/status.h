// Status and Result<T>: how every fallible call answers. Values; no thread affinity.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace spillway {

/// A code names the caller's next action, not the module that failed.
enum class Code : int {
  kOk = 0,
  kInvalidArgument = 1,    ///< The request is wrong: fail the job, tell the user.
  kNotFound = 2,           ///< A named thing is missing: fail the job, tell the user.
  kAlreadyExists = 3,      ///< Something is in the way: choose another place or ask to overwrite.
  kUnavailable = 4,        ///< Retry the same call later.
  kAborted = 5,            ///< Rerun the task from its start.
  kDataLoss = 6,           ///< Stored bytes are wrong: discard them and compute them again.
  kResourceExhausted = 7,  ///< Disk, memory or a limit: free some or raise it.
  kUserCode = 8,           ///< The plugin failed: report the record, task and attempt.
  kCancelled = 9,          ///< Somebody asked to stop.
  kPermissionDenied = 10,  ///< The operating system or a key refused.
  kBadData = 11,           ///< An input record or a plugin file is malformed: fail the job.
  kInternal = 12,          ///< A bug of ours.
};

/// The code's name as it appears in messages and JSON, e.g. "DATA_LOSS".
constexpr std::string_view CodeName(Code code) {
  switch (code) {
    case Code::kOk: return "OK";
    case Code::kInvalidArgument: return "INVALID_ARGUMENT";
    case Code::kNotFound: return "NOT_FOUND";
    case Code::kAlreadyExists: return "ALREADY_EXISTS";
    case Code::kUnavailable: return "UNAVAILABLE";
    case Code::kAborted: return "ABORTED";
    case Code::kDataLoss: return "DATA_LOSS";
    case Code::kResourceExhausted: return "RESOURCE_EXHAUSTED";
    case Code::kUserCode: return "USER_CODE";
    case Code::kCancelled: return "CANCELLED";
    case Code::kPermissionDenied: return "PERMISSION_DENIED";
    case Code::kBadData: return "BAD_DATA";
    case Code::kInternal: return "INTERNAL";
  }
  return "UNKNOWN";
}

/// Success, or a code with a message that says what, where, why and what to do next.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string message) : code_(code), message_(std::move(message)) {}

  bool ok() const { return code_ == Code::kOk; }
  Code code() const { return code_; }
  const std::string& message() const { return message_; }

  /// The same failure with `context` put before the message ("context: message").
  Status Annotate(std::string_view context) const {
    if (ok()) return *this;
    return Status(code_, std::string(context) + ": " + message_);
  }

 private:
  Code code_ = Code::kOk;
  std::string message_;
};

inline Status OkStatus() { return Status(); }
inline Status InvalidArgument(std::string m) { return {Code::kInvalidArgument, std::move(m)}; }
inline Status NotFound(std::string m) { return {Code::kNotFound, std::move(m)}; }
inline Status AlreadyExists(std::string m) { return {Code::kAlreadyExists, std::move(m)}; }
inline Status Unavailable(std::string m) { return {Code::kUnavailable, std::move(m)}; }
inline Status Aborted(std::string m) { return {Code::kAborted, std::move(m)}; }
inline Status DataLoss(std::string m) { return {Code::kDataLoss, std::move(m)}; }
inline Status ResourceExhausted(std::string m) { return {Code::kResourceExhausted, std::move(m)}; }
inline Status UserCodeError(std::string m) { return {Code::kUserCode, std::move(m)}; }
inline Status Cancelled(std::string m) { return {Code::kCancelled, std::move(m)}; }
inline Status PermissionDenied(std::string m) { return {Code::kPermissionDenied, std::move(m)}; }
inline Status BadData(std::string m) { return {Code::kBadData, std::move(m)}; }
inline Status InternalError(std::string m) { return {Code::kInternal, std::move(m)}; }

/// A value, or the Status that says why there is none. `value()` requires ok().
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}          // NOLINT: implicit by design
  Result(Status status) : status_(std::move(status)) {}  // NOLINT: implicit by design

  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }

  T& value() & { return *value_; }
  const T& value() const& { return *value_; }
  T&& value() && { return std::move(*value_); }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }
  T& operator*() & { return *value_; }
  const T& operator*() const& { return *value_; }

 private:
  std::optional<T> value_;
  Status status_;
};

}  // namespace spillway

/// Returns from the enclosing function when `expression` is not ok.
#define SPILLWAY_RETURN_IF_ERROR(expression)                                                     \
  do {                                                                                           \
    if (::spillway::Status spillway_status_ = (expression); !spillway_status_.ok()) [[unlikely]] \
      return spillway_status_;                                                                   \
  } while (false)

#define SPILLWAY_CONCAT_INNER(a, b) a##b
#define SPILLWAY_CONCAT(a, b) SPILLWAY_CONCAT_INNER(a, b)

/// `SPILLWAY_ASSIGN_OR_RETURN(auto x, Call())`: x is the value, or the function returns the status.
#define SPILLWAY_ASSIGN_OR_RETURN(declaration, expression)            \
  auto SPILLWAY_CONCAT(spillway_result_, __LINE__) = (expression);    \
  if (!SPILLWAY_CONCAT(spillway_result_, __LINE__).ok()) [[unlikely]] \
    return SPILLWAY_CONCAT(spillway_result_, __LINE__).status();      \
  declaration = std::move(SPILLWAY_CONCAT(spillway_result_, __LINE__)).value()
