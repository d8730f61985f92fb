// Writes man pages and completions below a share/ directory, for the installation:
// spillway_pages DIR. Run when Spillway is built.

#include <boost/filesystem.hpp>
#include <fstream>
#include <iostream>
#include <string>

#include "runtime/cli/completion_script.h"
#include "runtime/cli/manual_page.h"

namespace {

bool Write(const boost::filesystem::path& path, const std::string& text) {
  boost::filesystem::create_directories(path.parent_path());
  std::ofstream file(path.string(), std::ios::binary);
  file << text << std::flush;
  if (!file) std::cerr << "spillway_pages: " << path.string() << " cannot be written\n";
  return static_cast<bool>(file);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: spillway_pages DIR\n";
    return 64;
  }
  const boost::filesystem::path share(argv[1]), manual = share / "man/man1";
  bool good = Write(manual / "spillway.1", spillway::OverviewManual());
  for (const spillway::CommandSpec& command : spillway::Commands())
    good &=
        Write(manual / (spillway::ManualName(command) + ".1"), spillway::CommandManual(command));
  good &= Write(share / "bash-completion/completions/spillway", spillway::BashCompletion());
  good &= Write(share / "zsh/vendor-completions/_spillway", spillway::ZshCompletion());
  good &= Write(share / "fish/vendor_completions.d/spillway.fish", spillway::FishCompletion());
  return good ? 0 : 1;
}
