// Machine: what this process may use of the machine it runs on, and what it uses. Reads /proc and
// the cgroup files; any thread.
#pragma once

#include <cstdint>

namespace spillway {

/// Processors, by affinity, cgroup quota and SLURM_CPUS_PER_TASK; at least 1.
std::uint32_t AvailableCpus();

/// Physical memory, or the cgroup's limit where that is lower.
std::uint64_t AvailableMemoryBytes();

/// Resident set of this process now, and at its highest.
std::uint64_t ResidentBytes();
std::uint64_t PeakResidentBytes();

/// Resident once the allocator has given back what is free: what an earlier job of this process has
/// freed is not the program's own.
std::uint64_t SettledResidentBytes();

/// The allocator keeps what is freed, up to 64 MiB at the end of each of its heaps. From now on it
/// is 1 MiB, for the price of clearing pages again. Before threads are started.
void KeepLittleFreedMemory();

/// Resident set of another process of this user now; 0: it is gone.
std::uint64_t ResidentBytesOf(std::int64_t pid);

/// Private writable memory that this process has mapped, touched or not: what RLIMIT_DATA counts.
std::uint64_t DataBytes();

/// User and system time of this process so far.
double CpuSeconds();

}  // namespace spillway
