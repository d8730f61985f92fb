#include "bench/cluster/coordinator_thread.h"

#include <pthread.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <utility>

namespace spillway {

namespace {

double ThreadCpuS() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

}  // namespace

Result<std::unique_ptr<CoordinatorThread>> CoordinatorThread::Start(TransportContext& context,
                                                                    const CoordinatorSetup& setup) {
  SPILLWAY_ASSIGN_OR_RETURN(auto coordinator, Coordinator::Open(context, setup));
  return std::unique_ptr<CoordinatorThread>(new CoordinatorThread(std::move(coordinator)));
}

CoordinatorThread::CoordinatorThread(std::unique_ptr<Coordinator> coordinator)
    : coordinator_(std::move(coordinator)), thread_([this] {
        ::pthread_setname_np(::pthread_self(), "coordinator");
        outcome_ = coordinator_->Run();
        cpu_s_ = ThreadCpuS();
      }) {}

CoordinatorThread::~CoordinatorThread() { static_cast<void>(Stop().ok()); }

Status CoordinatorThread::Stop() {
  if (thread_.joinable()) {
    coordinator_->Stop();
    thread_.join();
  }
  return outcome_;
}

CoordinatorSetup PlainSetup(const std::string& endpoint, const std::string& journal_dir) {
  CoordinatorSetup setup;
  CoordinatorEndpoint served;
  served.server.endpoint = endpoint;
  served.server.insecure = true;
  setup.endpoints.push_back(std::move(served));
  setup.journal_dir = journal_dir;
  setup.machine.authenticated = false;
  setup.log = [](const std::string& line) {
    const bool usual = line.find(" joined with ") != std::string::npos ||
                       line.find(" is back with ") != std::string::npos;
    if (!usual) std::fprintf(stderr, "coordinator: %s\n", line.c_str());
  };
  return setup;
}

std::uint64_t PeakResidentBytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

BenchDirectory::BenchDirectory() {
  const char* const base = std::getenv("SPILLWAY_BENCH_DIR");
  path_ = std::string(base == nullptr ? "/tmp" : base) + "/spillway-bench-" +
          std::to_string(::getpid());
  std::filesystem::create_directories(path_);
}

BenchDirectory::~BenchDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace spillway
