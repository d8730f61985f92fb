// The spillway command's process: fills the Shell from the operating system and runs the command.

#include <google/protobuf/stubs/logging.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <boost/filesystem.hpp>
#include <climits>
#include <csignal>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/cli/shell.h"
#include "runtime/cli/spillway_command.h"
#include "runtime/client/coordinator_client.h"
#include "runtime/client/remote_runner.h"
#include "runtime/filter/filter_process.h"
#include "runtime/local/coordinator_process.h"
#include "runtime/local/local_runner.h"
#include "runtime/local/worker_process.h"
#include "runtime/storage/system_clock.h"

namespace {

constexpr std::size_t kColumnsDefault = 80;
constexpr const char* kPluginDirFromPrefix = "lib/spillway/plugins";

std::size_t TerminalColumns() {
  winsize size = {};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kColumnsDefault;
  return size.ws_col;
}

spillway::EnvironmentMap ReadEnvironment() {
  spillway::EnvironmentMap environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos)
      environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

/// The program's own file; empty if that cannot be found.
boost::filesystem::path Program() {
  boost::system::error_code error;
  const auto program = boost::filesystem::read_symlink("/proc/self/exe", error);
  return error ? boost::filesystem::path() : program;
}

spillway::Result<std::unique_ptr<spillway::CoordinatorCalls>> Dial(
    const spillway::ClientOptions& coordinator, spillway::WaitNote note) {
  SPILLWAY_ASSIGN_OR_RETURN(auto client,
                            spillway::CoordinatorClient::Connect(coordinator, std::move(note)));
  return std::unique_ptr<spillway::CoordinatorCalls>(std::move(client));
}

std::string HostName() {
  char name[HOST_NAME_MAX + 1] = {};
  return gethostname(name, sizeof name - 1) == 0 && name[0] != '\0' ? name : "localhost";
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGXFSZ, SIG_IGN);  // A file that reaches its limit is an error that names it.
  // Messages that cannot be read are their readers' to report: a flood of them must fill no log.
  google::protobuf::SetLogHandler(nullptr);
  const auto environment = ReadEnvironment();
  const auto program = Program();
  const auto prefix = program.parent_path().parent_path();
  const spillway::Shell shell = {
      .out = std::cout,
      .err = std::cerr,
      .err_is_terminal = isatty(STDERR_FILENO) != 0,
      .columns = TerminalColumns,
      .environment = environment,
      .config_paths = spillway::ConfigFilePaths(environment),
      .plugin_dir = prefix.empty() ? std::string() : (prefix / kPluginDirFromPrefix).string(),
      .prefix = prefix.string(),
      .program = program.string(),
      .prepare = spillway::PrepareLocalRunner,
      .prepare_remote = spillway::RemoteRunner::Prepare,
      .dial = Dial,
      .inspect = spillway::InspectPlugin,
      .filter = spillway::RunFilterProcess,
      .inspect_filter = spillway::InspectFilter,
      .unix_ms = spillway::SystemUnixMs,
      .host_name = HostName,
      .coordinator = spillway::RunCoordinatorProcess,
      .worker = spillway::RunWorkerProcess,
  };
  return spillway::RunSpillway({argv + std::min(argc, 1), argv + argc}, shell);
}
