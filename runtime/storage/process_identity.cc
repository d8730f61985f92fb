#include "runtime/storage/process_identity.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <charconv>
#include <fstream>
#include <sstream>

namespace spillway {
namespace {

constexpr std::string_view kFirstLine = "spillway scratch 1";

std::string FirstLine(const std::string& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

// Field 22 of /proc/<pid>/stat. The second field is the program's name in parentheses, which may
// hold spaces and parentheses itself, so fields are counted from the last one. 0: no such process.
std::uint64_t StartTicks(std::uint64_t pid) {
  const std::string line = FirstLine("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return 0;
  std::istringstream fields(line.substr(name_end + 1));
  std::string field;
  constexpr int kFirstField = 3, kStartField = 22;
  for (int i = kFirstField; i <= kStartField; ++i) {
    if (!(fields >> field)) return 0;
    // A zombie has ended, whether its parent looks at it or not.
    if (i == kFirstField && (field == "Z" || field == "X")) return 0;
  }
  std::uint64_t ticks = 0;
  std::from_chars(field.data(), field.data() + field.size(), ticks);
  return ticks;
}

std::string PidNamespace() {
  char target[64];
  const ssize_t bytes = ::readlink("/proc/self/ns/pid", target, sizeof target);
  return bytes > 0 ? std::string(target, static_cast<std::size_t>(bytes)) : "unknown";
}

std::string HostName() {
  utsname names = {};
  return ::uname(&names) == 0 && names.nodename[0] != '\0' ? names.nodename : "unknown";
}

std::string BootId() {
  std::string id = FirstLine("/proc/sys/kernel/random/boot_id");
  return id.empty() ? "unknown" : id;
}

// Takes "name value\n" off the front of `text`.
bool TakeLine(std::string_view& text, std::string_view name, std::string& value) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return false;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  if (line.size() < name.size() + 2 || line.substr(0, name.size()) != name ||
      line[name.size()] != ' ')
    return false;
  value = line.substr(name.size() + 1);
  return true;
}

bool TakeNumber(std::string_view& text, std::string_view name, std::uint64_t& value) {
  std::string digits;
  if (!TakeLine(text, name, digits)) return false;
  const char* const end = digits.data() + digits.size();
  const auto parsed = std::from_chars(digits.data(), end, value);
  return parsed.ec == std::errc() && parsed.ptr == end;
}

}  // namespace

ProcessIdentity ProcessIdentity::Self() {
  ProcessIdentity self;
  self.pid = static_cast<std::uint64_t>(::getpid());
  self.start_ticks = StartTicks(self.pid);
  self.boot_id = BootId();
  self.pid_namespace = PidNamespace();
  self.host = HostName();
  return self;
}

std::string ProcessIdentity::Format() const {
  return std::string(kFirstLine) + "\npid " + std::to_string(pid) + "\nstart " +
         std::to_string(start_ticks) + "\nboot " + boot_id + "\npid_namespace " + pid_namespace +
         "\nhost " + host + "\n";
}

std::optional<ProcessIdentity> ProcessIdentity::Parse(std::string_view text) {
  ProcessIdentity parsed;
  if (text.substr(0, kFirstLine.size() + 1) != std::string(kFirstLine) + "\n") return std::nullopt;
  text.remove_prefix(kFirstLine.size() + 1);
  if (!TakeNumber(text, "pid", parsed.pid) || !TakeNumber(text, "start", parsed.start_ticks) ||
      !TakeLine(text, "boot", parsed.boot_id) ||
      !TakeLine(text, "pid_namespace", parsed.pid_namespace) ||
      !TakeLine(text, "host", parsed.host) || !text.empty())
    return std::nullopt;
  return parsed;
}

bool ProcessIdentity::IsDead() const {
  if (host != HostName()) return false;
  if (boot_id != BootId()) return true;
  if (pid_namespace != PidNamespace()) return false;
  // Without a start time there is nothing to tell the owner from a later process by.
  const std::uint64_t running = StartTicks(pid);
  return running == 0 || (start_ticks != 0 && running != start_ticks);
}

}  // namespace spillway
