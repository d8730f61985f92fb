#include "runtime/stream/side_directory.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace spillway {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDirectoryName = "spillway-stream-XXXXXX";

/// A script or an ELF file.
bool IsProgram(const fs::path& path) {
  char head[4] = {};
  std::ifstream(path, std::ios::binary).read(head, sizeof head);
  const std::string_view text(head, sizeof head);
  return text.starts_with("#!") || text ==
                                       "\x7f"
                                       "ELF";
}

Status AddFile(const fs::path& from, const fs::path& to) {
  std::error_code error;
  if (::access(from.c_str(), X_OK) == 0 || !IsProgram(from)) {
    fs::create_symlink(fs::absolute(from, error), to, error);
  } else {
    fs::copy_file(from, to, error);
    if (!error) fs::permissions(to, fs::perms::owner_exec, fs::perm_options::add, error);
  }
  if (!error) return OkStatus();
  return ResourceExhausted("'" + to.string() + "' cannot be made: " + error.message());
}

}  // namespace

Result<std::unique_ptr<SideDirectory>> SideDirectory::Make(spillway_task* task,
                                                           const std::vector<std::string>& names) {
  std::error_code error;
  std::string path = (fs::temp_directory_path(error) / kDirectoryName).string();
  if (error || ::mkdtemp(path.data()) == nullptr)
    return ResourceExhausted("no directory for side files can be made as '" + path +
                             "'; set TMPDIR to a place that can be written");
  std::unique_ptr<SideDirectory> made(new SideDirectory(path));
  for (const std::string& name : names) {
    const char* const from = task->side_file(task->host, name.c_str());
    if (from == nullptr) return NotFound("the job has no side file '" + name + "'");
    SPILLWAY_RETURN_IF_ERROR(AddFile(from, fs::path(path) / name));
  }
  return made;
}

SideDirectory::~SideDirectory() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace spillway
