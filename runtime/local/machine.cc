#include "runtime/local/machine.h"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace spillway {

namespace {

/// This process's cgroup below a controller's mount, e.g. "/user.slice"; version 2 has no name.
std::string CgroupPath(const std::string& controller) {
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    if (controllers.find("," + controller + ",") != std::string::npos)
      return line.substr(second + 1);
  }
  return "";
}

/// The first number of the first of these files that begins with one; 0 when none does.
double FirstNumber(std::initializer_list<std::string> paths) {
  for (const std::string& path : paths) {
    std::ifstream file(path);
    double number = 0;
    if (file >> number) return number;
  }
  return 0;
}

double CgroupCpus() {
  std::ifstream version2("/sys/fs/cgroup" + CgroupPath("") + "/cpu.max");
  std::string quota;
  double period = 0;
  if (version2 >> quota >> period && quota != "max" && period > 0)
    return std::atof(quota.c_str()) / period;
  const std::string group = "/sys/fs/cgroup/cpu" + CgroupPath("cpu");
  const double quota_us = FirstNumber({group + "/cpu.cfs_quota_us"});
  const double period_us = FirstNumber({group + "/cpu.cfs_period_us"});
  return quota_us > 0 && period_us > 0 ? quota_us / period_us : 0;
}

std::uint64_t StatusKibibytes(const std::string& field) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(field)) continue;
    return std::strtoull(line.c_str() + field.size(), nullptr, 10);
  }
  return 0;
}

}  // namespace

std::uint32_t AvailableCpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  double cpus = ::sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  if (const double quota = CgroupCpus(); quota > 0) cpus = std::min(cpus, std::ceil(quota));
  if (const char* slurm = std::getenv("SLURM_CPUS_PER_TASK"))
    if (const int count = std::atoi(slurm); count > 0) cpus = std::min<double>(cpus, count);
  return static_cast<std::uint32_t>(std::max(1.0, cpus));
}

std::uint64_t AvailableMemoryBytes() {
  const double physical =
      static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * static_cast<double>(::sysconf(_SC_PAGESIZE));
  const double limit =
      FirstNumber({"/sys/fs/cgroup" + CgroupPath("") + "/memory.max",
                   "/sys/fs/cgroup/memory" + CgroupPath("memory") + "/memory.limit_in_bytes"});
  return static_cast<std::uint64_t>(limit > 0 ? std::min(physical, limit) : physical);
}

std::uint64_t ResidentBytes() { return StatusKibibytes("VmRSS:") << 10; }

std::uint64_t PeakResidentBytes() { return StatusKibibytes("VmHWM:") << 10; }

double CpuSeconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace spillway
