// PluginLibrary: a loaded plugin, and the job that it describes. A file is looked at, then loaded
// in a child process, before this process loads it: a truncated library raises SIGBUS inside
// dlopen, and a plugin's static constructors may do anything. Loaded libraries stay loaded. Load
// from one thread; a loaded library may be used by any.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "mapreduce/abi.h"
#include "mapreduce/base/status.h"

namespace spillway {

class PluginLibrary {
 public:
  /// BadData: no ELF library for this machine, truncated, not a plugin, or another ABI; the
  /// message says which. NotFound: no such file. With `args` the child process also makes the
  /// plugin's job of them, so that a crash there is an error here.
  static Result<std::shared_ptr<PluginLibrary>> Load(
      const std::string& path, const std::vector<std::string>* args = nullptr);

  /// A plugin that is linked into this program.
  static Result<std::shared_ptr<PluginLibrary>> Linked(spillway_plugin_entry entry);

  const spillway_plugin& plugin() const { return *plugin_; }
  const std::string& path() const { return path_; }

 private:
  PluginLibrary(std::string path, const spillway_plugin* plugin)
      : path_(std::move(path)), plugin_(plugin) {}

  const std::string path_;
  const spillway_plugin* const plugin_;
};

/// A configured job of a plugin. Immutable; any thread.
class PluginJob {
 public:
  /// InvalidArgument with the plugin's own words and its usage when `args` do not suit it. Of a
  /// chain, the job of this stage.
  static Result<std::unique_ptr<PluginJob>> Configure(std::shared_ptr<PluginLibrary> library,
                                                      std::vector<std::string> args,
                                                      std::uint32_t stage = 0);
  ~PluginJob();
  PluginJob(const PluginJob&) = delete;
  PluginJob& operator=(const PluginJob&) = delete;

  const spillway_job& abi() const { return *stage_job_; }
  /// Null: the job is no chain.
  const spillway_chain* chain() const { return job_->chain; }
  const char* const* args() const { return arg_pointers_.data(); }
  std::size_t arg_count() const { return args_.size(); }
  const PluginLibrary& library() const { return *library_; }

 private:
  PluginJob(std::shared_ptr<PluginLibrary> library, std::vector<std::string> args);

  std::shared_ptr<PluginLibrary> library_;
  std::vector<std::string> args_;
  std::vector<const char*> arg_pointers_;
  const spillway_job* job_ = nullptr;
  const spillway_job* stage_job_ = nullptr;  ///< The same, or a stage of it.
};

}  // namespace spillway
