#include "runtime/task/plugin_library.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "mapreduce/chain.h"
#include "mapreduce/version.h"
#include "runtime/task/elf_header.h"

namespace spillway {

namespace {

/// What ELF itself says, so that the common mistakes get a plain answer.
Status CheckElf(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);  // A pipe waits.
  if (fd < 0) {
    const int error = errno;
    if (error == ENOENT) return NotFound("no plugin at '" + path + "'");
    const std::string text = "cannot open plugin '" + path + "': " + std::strerror(error);
    return error == EACCES ? PermissionDenied(text) : BadData(text);
  }
  struct stat info {};
  Elf64_Ehdr header{};
  const bool is_file = ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
  const ssize_t got = is_file ? ::pread(fd, &header, sizeof header, 0) : -1;
  const int error = errno;  // Of the read; closing may change it.
  ::close(fd);
  if (!is_file) return BadData("plugin '" + path + "' is not a regular file");
  if (got < 0) return BadData("cannot read plugin '" + path + "': " + std::strerror(error));
  return CheckElfHeader({reinterpret_cast<const char*>(&header), static_cast<std::size_t>(got)},
                        static_cast<std::uint64_t>(info.st_size), path);
}

/// Asks for the plugin's description and checks that it can be used.
Result<const spillway_plugin*> Describe(spillway_plugin_entry entry, const std::string& path) {
  const spillway_plugin* const plugin = entry();
  if (plugin == nullptr || plugin->struct_bytes < sizeof(spillway_plugin))
    return BadData("plugin '" + path + "' answers with a description that is too short");
  if (plugin->abi_version != SPILLWAY_ABI_VERSION)
    return BadData("plugin '" + path + "' has ABI version " + std::to_string(plugin->abi_version) +
                   " (built with Spillway " + plugin->sdk_version + "), this Spillway " +
                   SPILLWAY_VERSION + " needs " + std::to_string(SPILLWAY_ABI_VERSION) +
                   "; build the plugin again with its headers");
  return plugin;
}

/// Loads and asks for the entry. Runs in the child first, then here.
Result<const spillway_plugin*> LoadHere(const std::string& path) {
  // A bare name would be searched for in the library path.
  const std::string file = path.find('/') == std::string::npos ? "./" + path : path;
  void* const library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr)
    return BadData("plugin '" + path + "' does not load: " + std::string(::dlerror()));
  const auto entry =
      reinterpret_cast<spillway_plugin_entry>(::dlsym(library, SPILLWAY_PLUGIN_SYMBOL));
  if (entry == nullptr)
    return BadData("'" + path + "' is a library but no Spillway plugin: it does not export " +
                   SPILLWAY_PLUGIN_SYMBOL + " (write SPILLWAY_PLUGIN(...) once)");
  return Describe(entry, path);
}

/// Makes and releases the job, to see whether that ends the process.
void TryConfigure(const spillway_plugin& plugin, const std::vector<std::string>& args) {
  std::vector<const char*> pointers;
  for (const std::string& arg : args) pointers.push_back(arg.c_str());
  char error[1024] = "";
  const spillway_job* job = plugin.configure(pointers.data(), pointers.size(), error, sizeof error);
  if (job != nullptr) plugin.release(job);
}

/// Loads the plugin in a child. What the child reports, or how it died, becomes the status.
Status ProbeInChild(const std::string& path, const std::vector<std::string>* args) {
  int pipe_fds[2];
  if (::pipe2(pipe_fds, O_CLOEXEC) != 0)
    return Unavailable("cannot make a pipe: " + std::string(std::strerror(errno)));
  const pid_t child = ::fork();
  if (child < 0) {
    ::close(pipe_fds[0]);
    ::close(pipe_fds[1]);
    return Unavailable("cannot start a process to try the plugin: " +
                       std::string(std::strerror(errno)));
  }
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (const int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT}) ::signal(signal, SIG_DFL);
    ::alarm(10);  // A constructor that hangs.
    const Result<const spillway_plugin*> plugin = LoadHere(path);
    const std::string message = plugin.ok() ? "ok" : plugin.status().message();
    if (plugin.ok() && args != nullptr) TryConfigure(**plugin, *args);
    const ssize_t written = ::write(pipe_fds[1], message.data(), message.size());
    ::_exit(written < 0 ? 1 : 0);
  }
  ::close(pipe_fds[1]);
  std::string message;
  char part[512];
  for (ssize_t got; (got = ::read(pipe_fds[0], part, sizeof part)) > 0 || errno == EINTR;) {
    if (got <= 0) break;
    message.append(part, static_cast<std::size_t>(got));
  }
  ::close(pipe_fds[0]);
  int state = 0;
  while (::waitpid(child, &state, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(state)) {
    const int signal = WTERMSIG(state);
    return BadData("plugin '" + path + "' " +
                   (signal == SIGALRM
                        ? "hangs while it is loaded"
                        : std::string("crashes while it is loaded (") + ::strsignal(signal) + ")") +
                   "; the file may be damaged: build it again");
  }
  if (message == "ok") return OkStatus();
  if (message.empty())
    return BadData("plugin '" + path +
                   "' ends the process while it is loaded; look at its static "
                   "constructors");
  return BadData(message);
}

/// The job of a stage, when the chain is one that can be run.
Result<const spillway_job*> StageOf(const spillway_job& job, std::uint32_t stage) {
  if (job.chain == nullptr) {
    if (stage != 0) return InvalidArgument("the job has no stage " + std::to_string(stage));
    return &job;
  }
  const spillway_chain& chain = *job.chain;
  if (chain.stage_count == 0 || chain.stage_count > kStagesMax)
    return InvalidArgument("the job is a chain of " + std::to_string(chain.stage_count) +
                           " stages; 1 to " + std::to_string(kStagesMax) + " are possible");
  for (std::uint32_t i = 0; i < chain.stage_count; ++i)
    for (std::size_t j = 0; j < chain.stages[i].input_count; ++j)
      if (chain.stages[i].inputs[j] >= i && chain.stages[i].inputs[j] != SPILLWAY_STAGE_CHAIN_INPUT)
        return InvalidArgument("stage " + std::to_string(i) + " of the chain reads stage " +
                               std::to_string(chain.stages[i].inputs[j]) +
                               ", which does not come before it");
  if (chain.stages[chain.stage_count - 1].rounds_max != 0)
    return InvalidArgument(
        "the last stage of a chain cannot be repeated: one must write the result");
  if (stage >= chain.stage_count)
    return InvalidArgument("the chain has no stage " + std::to_string(stage));
  return chain.stages[stage].job;
}

}  // namespace

Result<std::shared_ptr<PluginLibrary>> PluginLibrary::Load(const std::string& path,
                                                           const std::vector<std::string>* args) {
  SPILLWAY_RETURN_IF_ERROR(CheckElf(path));
  SPILLWAY_RETURN_IF_ERROR(ProbeInChild(path, args));
  SPILLWAY_ASSIGN_OR_RETURN(const spillway_plugin* plugin, LoadHere(path));
  return std::shared_ptr<PluginLibrary>(new PluginLibrary(path, plugin));
}

Result<std::shared_ptr<PluginLibrary>> PluginLibrary::Linked(spillway_plugin_entry entry) {
  SPILLWAY_ASSIGN_OR_RETURN(const spillway_plugin* plugin, Describe(entry, "linked in"));
  return std::shared_ptr<PluginLibrary>(new PluginLibrary("linked in", plugin));
}

PluginJob::PluginJob(std::shared_ptr<PluginLibrary> library, std::vector<std::string> args)
    : library_(std::move(library)), args_(std::move(args)) {
  for (const std::string& arg : args_) arg_pointers_.push_back(arg.c_str());
}

Result<std::unique_ptr<PluginJob>> PluginJob::Configure(std::shared_ptr<PluginLibrary> library,
                                                        std::vector<std::string> args,
                                                        std::uint32_t stage) {
  const spillway_plugin& plugin = library->plugin();
  std::unique_ptr<PluginJob> job(new PluginJob(std::move(library), std::move(args)));
  char error[1024] = "";
  job->job_ = plugin.configure(job->args(), job->arg_count(), error, sizeof error);
  if (job->job_ == nullptr) {
    const std::string usage = plugin.usage[0] == '\0'
                                  ? " (it takes no arguments of its own)"
                                  : std::string(" (usage: spillway run ") + plugin.name +
                                        " -i IN -o OUT -- " + plugin.usage + ")";
    return InvalidArgument("job " + std::string(plugin.name) + ": " + error + usage);
  }
  if (job->job_->struct_bytes < sizeof(spillway_job))
    return BadData("plugin '" + job->library().path() + "' describes its job too shortly");
  SPILLWAY_ASSIGN_OR_RETURN(job->stage_job_, StageOf(*job->job_, stage));
  return job;
}

PluginJob::~PluginJob() {
  if (job_ != nullptr) library_->plugin().release(job_);
}

}  // namespace spillway
