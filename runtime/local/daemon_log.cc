#include "runtime/local/daemon_log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <utility>

#include "mapreduce/base/units.h"

namespace spillway {

namespace {
constexpr std::size_t kLineBytesMax = 4'096;
}  // namespace

struct DaemonLog::State {
  spdlog::logger logger;
};

DaemonLog::DaemonLog(std::unique_ptr<State> state) : state_(std::move(state)) {}
DaemonLog::~DaemonLog() = default;

Result<std::unique_ptr<DaemonLog>> DaemonLog::Open(const std::string& path,
                                                   const std::string& who) {
  try {
    spdlog::sink_ptr sink;
    if (path.empty()) {
      sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    } else {
      sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path);
    }
    auto state = std::make_unique<State>(State{spdlog::logger(who, std::move(sink))});
    state->logger.set_pattern("%Y-%m-%d %H:%M:%S.%e %n: %v");
    state->logger.flush_on(spdlog::level::info);
    return std::unique_ptr<DaemonLog>(new DaemonLog(std::move(state)));
  } catch (const spdlog::spdlog_ex& error) {
    return InvalidArgument("the log '" + path + "' cannot be opened: " + error.what());
  }
}

void DaemonLog::Write(const std::string& line) {
  state_->logger.info("{}", EscapeForLog(line, kLineBytesMax));
}

}  // namespace spillway
