#include "runtime/storage/work_directory.h"

#include <unistd.h>

#include <boost/filesystem.hpp>

#include "runtime/storage/output_staging.h"
#include "runtime/storage/owner_marker.h"

namespace spillway {

namespace {

/// Directories that one process may have for one output at a time.
constexpr int kSameOutputMax = 1000;

}  // namespace

Result<std::unique_ptr<WorkDirectory>> WorkDirectory::Create(FileSystem& files,
                                                             const std::string& output_dir) {
  // Absolute, since tasks elsewhere are told of it.
  std::string output = boost::filesystem::absolute(output_dir).string();
  while (output.size() > 1 && output.back() == '/') output.pop_back();
  const std::size_t slash = output.rfind('/');
  const std::string parent = output.substr(0, slash + 1);
  const std::string prefix = parent + "." + output.substr(parent.size()) + ".spillway-work-" +
                             std::to_string(::getpid()) + "-";
  RemoveLeftovers(files, output);
  for (int i = 0; i < kSameOutputMax; ++i) {
    std::string path = prefix + std::to_string(i);
    const Status made = files.MakeDirectory(path, 0777);
    if (made.code() == Code::kAlreadyExists) continue;
    SPILLWAY_RETURN_IF_ERROR(made);
    std::unique_ptr<WorkDirectory> directory(new WorkDirectory(files, std::move(path)));
    SPILLWAY_RETURN_IF_ERROR(WriteOwnerMarker(files, directory->path()));
    return directory;
  }
  return AlreadyExists("too many directories " + prefix + "N; remove those that nobody uses");
}

WorkDirectory::~WorkDirectory() {
  // What cannot be removed now goes with the next job for this output.
  static_cast<void>(files_.RemoveTree(path_).ok());
}

}  // namespace spillway
