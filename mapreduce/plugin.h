// SPILLWAY_PLUGIN: the one thing that a plugin exports. Write the function that makes its job as
// the macro's body; `args` are the job's own arguments:
//
//   SPILLWAY_PLUGIN("grep", "prints the lines that hold a string", "PATTERN") {
//     if (args.size() != 1) return InvalidArgument("give one PATTERN");
//     return NewJob().Map<GrepMapper>().MapOnly();
//   }
//
// The macro takes the job's name, a line for lists, and its arguments' usage: with "" all that are
// given are refused. It stands once in a plugin, outside of any namespace.
#pragma once

#include <cstdio>
#include <exception>

#include "mapreduce/abi.h"
#include "mapreduce/job.h"
#include "mapreduce/version.h"

namespace spillway::internal {

inline void CopyError(const char* what, const char* why, char* error, std::size_t error_bytes) {
  if (error_bytes > 0) std::snprintf(error, error_bytes, "%s%s", what, why);
}

/// Runs the plugin's function; whatever it throws becomes the error.
inline const spillway_job* Configure(Result<Job> (*make)(const Args&), const char* name,
                                     const char* usage, const char* const* args,
                                     std::size_t arg_count, char* error,
                                     std::size_t error_bytes) noexcept {
  if (usage[0] == '\0' && arg_count > 0) {
    CopyError("what is meant by ", args[0], error, error_bytes);
    return nullptr;
  }
  try {
    Result<Job> job = make(Args(args, arg_count));
    Status status = job.status();
    if (job.ok()) status = job->Validate();
    if (status.ok()) return Job::Publish(std::move(job).value(), name);
    CopyError("", status.message().c_str(), error, error_bytes);
  } catch (const std::exception& thrown) {
    CopyError("the plugin threw ", thrown.what(), error, error_bytes);
  } catch (...) {
    CopyError("the plugin threw ", "something that is no std::exception", error, error_bytes);
  }
  return nullptr;
}

}  // namespace spillway::internal

#define SPILLWAY_PLUGIN(NAME, SUMMARY, USAGE)                                                     \
  static ::spillway::Result<::spillway::Job> SpillwayMakeJob(const ::spillway::Args& args);       \
  extern "C" __attribute__((visibility("default"))) const spillway_plugin* spillway_plugin_v1() { \
    static const spillway_plugin plugin = {                                                       \
        sizeof(spillway_plugin),                                                                  \
        SPILLWAY_ABI_VERSION,                                                                     \
        NAME,                                                                                     \
        SUMMARY,                                                                                  \
        USAGE,                                                                                    \
        SPILLWAY_VERSION,                                                                         \
        __VERSION__,                                                                              \
        [](const char* const* args, std::size_t count, char* error, std::size_t bytes) {          \
          return ::spillway::internal::Configure(&SpillwayMakeJob, NAME, USAGE, args, count,      \
                                                 error, bytes);                                   \
        },                                                                                        \
        &::spillway::Job::Release};                                                               \
    return &plugin;                                                                               \
  }                                                                                               \
  static ::spillway::Result<::spillway::Job> SpillwayMakeJob(                                     \
      [[maybe_unused]] const ::spillway::Args& args)
