#include "runtime/storage/machine.h"

#include <malloc.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>

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

/// The number a file begins with; 0 when there is none ("max", or no file).
double FirstNumber(const std::string& path) {
  std::ifstream file(path);
  double number = 0;
  return file >> number ? number : 0;
}

double CpusOf(const std::string& directory) {
  std::ifstream version2(directory + "/cpu.max");
  std::string quota;
  double period = 0;
  if (version2 >> quota >> period && quota != "max" && period > 0)
    return std::atof(quota.c_str()) / period;
  const double quota_us = FirstNumber(directory + "/cpu.cfs_quota_us");
  const double period_us = FirstNumber(directory + "/cpu.cfs_period_us");
  return quota_us > 0 && period_us > 0 ? quota_us / period_us : 0;
}

double MemoryOf(const std::string& directory) {
  const double version2 = FirstNumber(directory + "/memory.max");
  return version2 > 0 ? version2 : FirstNumber(directory + "/memory.limit_in_bytes");
}

/// The least limit over this process's group and all above it, in both versions of cgroups; 0 when
/// there is none. In a container the group's own path may lie outside of the mount: what can be
/// seen is then the mount's root.
double LeastLimit(const std::string& controller, double (*limit_of)(const std::string&)) {
  double least = 0;
  for (const auto& [mount, name] :
       {std::pair<std::string, std::string>("/sys/fs/cgroup", ""),
        std::pair<std::string, std::string>("/sys/fs/cgroup/" + controller, controller)}) {
    std::string group = CgroupPath(name);
    while (true) {
      const double limit = limit_of(mount + group);
      if (limit > 0) least = least > 0 ? std::min(least, limit) : limit;
      if (group.empty()) break;
      group.erase(group.rfind('/') == std::string::npos ? 0 : group.rfind('/'));
    }
  }
  return least;
}

std::uint64_t StatusKibibytes(const std::string& field, const std::string& process = "self") {
  std::ifstream file("/proc/" + process + "/status");
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
  if (const double quota = LeastLimit("cpu", &CpusOf); quota > 0)
    cpus = std::min(cpus, std::ceil(quota));
  if (const char* slurm = std::getenv("SLURM_CPUS_PER_TASK"))
    if (const int count = std::atoi(slurm); count > 0) cpus = std::min<double>(cpus, count);
  return static_cast<std::uint32_t>(std::max(1.0, cpus));
}

std::uint64_t AvailableMemoryBytes() {
  const double physical =
      static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * static_cast<double>(::sysconf(_SC_PAGESIZE));
  const double limit = LeastLimit("memory", &MemoryOf);
  return static_cast<std::uint64_t>(limit > 0 ? std::min(physical, limit) : physical);
}

std::uint64_t ResidentBytes() { return StatusKibibytes("VmRSS:") << 10; }

std::uint64_t SettledResidentBytes() {
  ::malloc_trim(0);
  return ResidentBytes();
}

void KeepLittleFreedMemory() {
  ::mallopt(M_MMAP_THRESHOLD, 1 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 1 << 20);
}

std::uint64_t PeakResidentBytes() { return StatusKibibytes("VmHWM:") << 10; }

std::uint64_t ResidentBytesOf(std::int64_t pid) {
  return StatusKibibytes("VmRSS:", std::to_string(pid)) << 10;
}

std::uint64_t DataBytes() { return StatusKibibytes("VmData:") << 10; }

double CpuSeconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace spillway
