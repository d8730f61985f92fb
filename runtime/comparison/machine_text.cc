#include "runtime/comparison/machine_text.h"

#include <sys/utsname.h>

#include <fstream>

#include "mapreduce/base/units.h"
#include "runtime/storage/machine.h"

namespace spillway {
namespace {

/// The first processor's; its kind where /proc does not say.
std::string ProcessorName(const std::string& otherwise) {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return otherwise;
}

}  // namespace

std::string MachineText() {
  utsname name = {};
  ::uname(&name);
  const std::uint32_t cores = AvailableCpus();
  return ProcessorName(name.machine) + ", " + std::to_string(cores) +
         (cores == 1 ? " core, " : " cores, ") + FormatBytes(AvailableMemoryBytes()) + ", " +
         name.sysname + " " + name.release;
}

}  // namespace spillway
