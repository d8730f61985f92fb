#include "runtime/storage/owner_marker.h"

#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>

namespace spillway {

namespace {

constexpr std::size_t kMarkerBytesMax = 512;

std::string BootId() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  file >> id;
  return id;
}

/// Clock ticks between boot and the process's start; empty when there is no such process. Field 22
/// of its stat line, counted behind the command, which may hold blanks and parentheses.
std::string StartTicks(long pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(file, line)) return "";
  const std::size_t command_end = line.rfind(')');
  if (command_end == std::string::npos) return "";
  std::istringstream fields(line.substr(command_end + 1));
  std::string field;
  for (int i = 3; i <= 22; ++i)
    if (!(fields >> field)) return "";
  return field;
}

}  // namespace

Status WriteOwnerMarker(FileSystem& files, const std::string& directory) {
  SPILLWAY_ASSIGN_OR_RETURN(const auto file, files.Create(directory + "/" + kOwnerMarkerName));
  const long pid = ::getpid();
  SPILLWAY_RETURN_IF_ERROR(file->Append("spillway-owner 1\npid " + std::to_string(pid) + "\nstart " +
                                        StartTicks(pid) + "\nboot " + BootId() + "\n"));
  return file->Close();
}

Ownership ReadOwnerMarker(FileSystem& files, const std::string& directory) {
  const auto file = files.Open(directory + "/" + kOwnerMarkerName);
  if (!file.ok()) return Ownership::kForeign;
  char text[kMarkerBytesMax + 1] = {};
  const auto bytes = (*file)->ReadAt(0, kMarkerBytesMax, text);
  if (!bytes.ok()) return Ownership::kForeign;
  long pid = 0;
  char start[64] = "", boot[64] = "";
  if (std::sscanf(text, "spillway-owner 1\npid %ld\nstart %63s\nboot %63s", &pid, start, boot) != 3)
    return Ownership::kForeign;
  const bool alive = BootId() == boot && StartTicks(pid) == start;
  return alive ? Ownership::kAlive : Ownership::kDead;
}

}  // namespace spillway
