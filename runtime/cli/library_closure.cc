#include "runtime/cli/library_closure.h"

#include <algorithm>
#include <map>
#include <sstream>

#include "mapreduce/base/units.h"
#include "runtime/cli/child_process.h"

namespace spillway {
namespace {

// One release of the C library: its parts go together, and with the kernel and the loader.
constexpr std::string_view kCLibrary[] = {
    "linux-vdso.so", "linux-gate.so", "libc.so",    "libm.so",   "libpthread.so", "libdl.so",
    "librt.so",      "libresolv.so",  "libutil.so", "libnsl.so", "libanl.so",     "ld-linux"};

bool IsOfTheCLibrary(std::string_view name) {
  return std::any_of(std::begin(kCLibrary), std::end(kCLibrary),
                     [&](std::string_view known) { return name.starts_with(known); });
}

}  // namespace

Result<std::vector<SharedLibrary>> ReadLddOutput(std::string_view output, const std::string& file) {
  std::vector<SharedLibrary> libraries;
  std::istringstream lines{std::string(output)};
  // NAME => PATH (ADDRESS), NAME => not found, or PATH (ADDRESS) of the loader.
  for (std::string line; std::getline(lines, line);) {
    const std::size_t arrow = line.find(" => ");
    if (arrow == std::string::npos) continue;
    const std::size_t begin = line.find_first_not_of(" \t");
    const std::string name = line.substr(begin, arrow - begin);
    if (IsOfTheCLibrary(name)) continue;
    const std::string rest = line.substr(arrow + 4);
    if (rest.starts_with("not found"))
      return NotFound("'" + EscapeForLog(file) + "' needs the library " + EscapeForLog(name) +
                      ", which is not there. Install it, or set LD_LIBRARY_PATH.");
    libraries.push_back({name, rest.substr(0, rest.rfind(" ("))});
  }
  return libraries;
}

Result<std::vector<SharedLibrary>> LibraryClosure(const std::vector<std::string>& files) {
  std::map<std::string, std::string> paths;
  for (const std::string& file : files) {
    SPILLWAY_ASSIGN_OR_RETURN(const ChildEnd ldd, RunChild({"ldd", file}));
    if (ldd.exit_code != 0)
      return BadData("ldd says of '" + EscapeForLog(file) + "': " + EscapeForLog(ldd.output));
    SPILLWAY_ASSIGN_OR_RETURN(const auto libraries, ReadLddOutput(ldd.output, file));
    for (const SharedLibrary& library : libraries) paths.emplace(library.name, library.path);
  }
  std::vector<SharedLibrary> all;
  for (const auto& [name, path] : paths) all.push_back({name, path});
  return all;
}

}  // namespace spillway
