#include "runtime/hadoop/task_directory.h"

#include <stdlib.h>
#include <unistd.h>

#include <boost/filesystem.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "runtime/hadoop/forwarding_child.h"

namespace spillway {
namespace {

namespace fs = boost::filesystem;
using Error = boost::system::error_code;

/// A script that nobody has made executable: Hadoop runs it all the same.
bool IsPlainScript(const std::string& path) {
  char start[2] = {};
  std::ifstream(path, std::ios::binary).read(start, sizeof start);
  return start[0] == '#' && start[1] == '!' && ::access(path.c_str(), X_OK) != 0;
}

std::vector<std::string> UnpackCommand(const std::string& from, const std::string& to) {
  if (from.ends_with(".zip") || from.ends_with(".jar")) return {"unzip", "-q", from, "-d", to};
  for (const char* ending : {".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst"})
    if (from.ends_with(ending)) return {"tar", "-xf", from, "-C", to};
  return {};
}

}  // namespace

Result<std::unique_ptr<TaskDirectory>> TaskDirectory::Make(const std::string& output,
                                                           const StreamingWords& job,
                                                           const HadoopPaths& paths) {
  const fs::path out(output);
  std::string path =
      (out.parent_path() / ("." + out.filename().string() + ".hadoop-XXXXXX")).string();
  if (::mkdtemp(path.data()) == nullptr)
    return PermissionDenied("no directory for the job's files can be made beside '" + output +
                            "': " + std::strerror(errno));
  std::unique_ptr<TaskDirectory> made(new TaskDirectory(path));
  Error error;
  fs::permissions(path, fs::perms(0755), error);  // Workers may be somebody else.
  for (const ShippedFile& file : job.files) SPILLWAY_RETURN_IF_ERROR(made->AddFile(file, paths));
  for (const ShippedFile& archive : job.archives)
    SPILLWAY_RETURN_IF_ERROR(made->AddArchive(archive, paths));
  return made;
}

TaskDirectory::~TaskDirectory() {
  Error error;
  fs::remove_all(path_, error);
}

bool TaskDirectory::Has(const std::string& name) const {
  Error error;
  return fs::exists(fs::path(path_) / name, error);
}

Status TaskDirectory::Place(const ShippedFile& file, const HadoopPaths& paths, std::string* from,
                            std::string* to) const {
  SPILLWAY_ASSIGN_OR_RETURN(const HadoopPath source, paths.FindLocal(file.source));
  Error error;
  *from = fs::absolute(source.local).string();
  if (!fs::exists(*from, error)) return NotFound("File: " + file.source + " does not exist");
  if (file.name.empty() || file.name == "." || file.name == ".." ||
      file.name.find('/') != std::string::npos)
    return InvalidArgument("'#" + file.name + "' is no name of a file");
  *to = (fs::path(path_) / file.name).string();
  return OkStatus();
}

Status TaskDirectory::AddFile(const ShippedFile& file, const HadoopPaths& paths) const {
  std::string from, to;
  SPILLWAY_RETURN_IF_ERROR(Place(file, paths, &from, &to));
  Error error;
  if (Has(file.name)) {
    if (fs::equivalent(from, to, error)) return OkStatus();
    return InvalidArgument("two files are shipped as '" + file.name + "'; write FILE#NAME");
  }
  if (!fs::is_directory(from, error) && IsPlainScript(from)) {
    fs::copy_file(from, to, error);
    if (!error) fs::permissions(to, fs::perms(0755), error);
  } else {
    error.clear();
    fs::create_symlink(from, to, error);
  }
  return error ? ResourceExhausted("'" + file.source + "' cannot be shipped: " + error.message())
               : OkStatus();
}

Status TaskDirectory::AddArchive(const ShippedFile& archive, const HadoopPaths& paths) const {
  std::string from, to;
  SPILLWAY_RETURN_IF_ERROR(Place(archive, paths, &from, &to));
  const auto command = UnpackCommand(from, to);
  if (command.empty())
    return InvalidArgument("'" + archive.source +
                           "' is no archive that is unpacked here: give a "
                           ".tar, .tar.gz, .tgz, .tar.bz2, .tar.xz, .tar.zst, .zip or .jar");
  Error error;
  fs::create_directory(to, error);
  SPILLWAY_ASSIGN_OR_RETURN(const int exit_code, RunForwarding(command, [](std::string_view) {}));
  if (exit_code != 0)
    return BadData("'" + archive.source + "' cannot be unpacked: " + command[0] + " exited with " +
                   std::to_string(exit_code));
  return OkStatus();
}

}  // namespace spillway
