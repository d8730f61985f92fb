#include "shuffle/store/kill_point.h"

#include <fcntl.h>
#include <sysexits.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace spillway {
namespace {

constexpr const char* kVariable = "SPILLWAY_KILL_AT";

struct KillOrder {
  std::string name;
  std::uint64_t passing = 0;
  std::string file;
};

/// A test that mistypes its order must not take the missing death for a survived one.
[[noreturn]] void Refuse(const char* text) {
  std::fprintf(stderr, "spillway: %s=%s is not NAME:PASSING:FILE; correct or unset it\n", kVariable,
               text);
  ::_exit(EX_CONFIG);
}

KillOrder OrderFromEnvironment() {
  const char* const text = std::getenv(kVariable);
  if (text == nullptr) return {};
  const std::string_view words = text;
  const std::size_t first = words.find(':');
  const std::size_t second = words.find(':', first + 1);
  if (first == std::string_view::npos || second == std::string_view::npos) Refuse(text);
  KillOrder order{std::string(words.substr(0, first)), 0, std::string(words.substr(second + 1))};
  const char* const end = words.data() + second;
  const auto number = std::from_chars(words.data() + first + 1, end, order.passing);
  if (number.ec != std::errc() || number.ptr != end || order.passing == 0 || order.name.empty() ||
      order.file.empty())
    Refuse(text);
  return order;
}

// Read once and never changed: a process is born with its end.
const KillOrder kOrder = OrderFromEnvironment();

}  // namespace

const bool kKillPointsArmed = !kOrder.name.empty();

void PassKillPoint(const char* name) {
  static std::atomic<std::uint64_t> passings{0};
  if (kOrder.name != name) return;
  if (passings.fetch_add(1, std::memory_order_relaxed) + 1 != kOrder.passing) return;
  const int file = ::open(kOrder.file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return;
  const std::string pid = std::to_string(::getpid()) + "\n";
  const ssize_t ignored = ::write(file, pid.data(), pid.size());
  static_cast<void>(ignored);
  ::raise(SIGKILL);
}

}  // namespace spillway
