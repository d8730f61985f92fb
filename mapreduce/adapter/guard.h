// The guard around user code: exceptions stop here, inside the plugin, and become a failure with
// the user's class name in it. One task, one thread.
#pragma once

#include <cxxabi.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <typeinfo>

#include "mapreduce/abi.h"
#include "mapreduce/base/status.h"
#include "mapreduce/emitter.h"
#include "mapreduce/task_context.h"

namespace spillway {

/// Throw it from Map to say that the input record, not the code, is wrong. The job fails with
/// exit code 65 and the record's place, unless it may skip bad records.
class BadRecord : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

namespace internal {

/// The type's name as its author wrote it, e.g. "CountWords".
inline std::string TypeName(const std::type_info& type) {
  int status = 0;
  std::unique_ptr<char, void (*)(void*)> name(
      abi::__cxa_demangle(type.name(), nullptr, nullptr, &status), std::free);
  std::string text = status == 0 ? name.get() : type.name();
  constexpr std::string_view kAnonymous = "(anonymous namespace)::";
  if (text.starts_with(kAnonymous)) text.erase(0, kAnonymous.size());
  return text;
}

inline void Fail(spillway_task* task, Code code, const std::string& message) {
  task->fail(task->host, static_cast<std::int32_t>(code), message.data(), message.size());
}

/// Runs `body` of the user's class `who`; 0 when it came to its end. What throws while a failure
/// is told, which is bad_alloc of a short text, ends the process: the host's crash report follows.
template <class Body>
int Guard(spillway_task* task, const std::type_info& who, Body&& body) noexcept {
  try {
    body();
    return 0;
  } catch (const StopTask&) {
    return 1;
  } catch (const BadRecord& bad) {
    Fail(task, Code::kBadData, TypeName(who) + ": " + bad.what());
  } catch (const std::exception& error) {
    Fail(task, Code::kUserCode,
         TypeName(who) + " threw " + TypeName(typeid(error)) + ": " + error.what());
  } catch (...) {
    Fail(task, Code::kUserCode, TypeName(who) + " threw something that is no std::exception");
  }
  return 1;
}

/// Runs `body` of the user's class `who` where nobody could take a failure: inside a sort or a
/// merge of the engine. An exception is told on stderr and ends the process.
template <class Body>
auto MustNotThrow(const std::type_info& who, Body&& body) noexcept {
  try {
    return body();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "spillway: %s threw %s: %s; it must not throw\n", TypeName(who).c_str(),
                 TypeName(typeid(error)).c_str(), error.what());
  } catch (...) {
    std::fprintf(stderr, "spillway: %s threw; it must not\n", TypeName(who).c_str());
  }
  __builtin_trap();  // In the plugin's own code, so that the host's crash report names it.
}

/// Setup of a user's object: its Status becomes the task's failure.
template <class User>
void SetUp(User& user, spillway_task* task) {
  TaskContext context(task);
  const Status status = user.Setup(context);
  if (status.ok()) return;
  Fail(task, status.code(), TypeName(typeid(User)) + "::Setup: " + status.message());
  throw StopTask{};
}

}  // namespace internal
}  // namespace spillway
