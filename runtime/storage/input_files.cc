#include "runtime/storage/input_files.h"

#include <glob.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace spillway {

namespace {

/// Deeper directories are taken for a loop of links.
constexpr int kDepthMax = 64;

class Listing {
 public:
  explicit Listing(FileSystem& files) : files_(files) {}

  void Add(const std::string& input) {
    const Result<FileInfo> info = files_.Stat(input);
    if (info.ok()) {
      const std::size_t before = found_;
      AddPath(input, *info, 0);
      if (found_ == before) Problem(input, "holds no files");
      return;
    }
    if (input.find_first_of("*?[") == std::string::npos) {
      Problem(input, info.status().message());
      return;
    }
    glob_t found{};
    const int failed = ::glob(input.c_str(), 0, nullptr, &found);
    for (std::size_t i = 0; failed == 0 && i < found.gl_pathc; ++i) {
      const Result<FileInfo> match = files_.Stat(found.gl_pathv[i]);
      if (match.ok()) {
        AddPath(found.gl_pathv[i], *match, 0);
      } else {
        Problem(found.gl_pathv[i], match.status().message());
      }
    }
    if (failed != 0) Problem(input, "no file matches this pattern");
    ::globfree(&found);
  }

  Result<std::vector<FoundFile>> Finish() {
    if (!problems_.empty()) {
      const std::string count = std::to_string(problems_.size());
      std::string text = problems_.size() == 1 ? "cannot read the input: "
                                               : "cannot read " + count + " of the inputs: ";
      constexpr std::size_t kShownMax = 20;
      for (std::size_t i = 0; i < problems_.size() && i < kShownMax; ++i)
        text += (i == 0 ? "" : "; ") + problems_[i];
      if (problems_.size() > kShownMax)
        text += "; and " + std::to_string(problems_.size() - kShownMax) + " more";
      return Status(denied_ == problems_.size() ? Code::kPermissionDenied : Code::kNotFound, text);
    }
    if (!doubles_.empty()) {
      std::string text = "named twice as input: ";
      for (std::size_t i = 0; i < doubles_.size(); ++i) text += (i == 0 ? "" : ", ") + doubles_[i];
      return InvalidArgument(text + "; each file is read once, so name it once");
    }
    return std::move(list_);
  }

 private:
  void Problem(const std::string& path, const std::string& why) {
    ++found_;
    problems_.push_back(why.find(path) == std::string::npos ? path + ": " + why : why);
  }

  void AddPath(const std::string& path, const FileInfo& info, int depth) {
    if (info.kind == FileKind::kDirectory) {
      AddDirectory(path, info, depth);
    } else if (info.kind == FileKind::kOther) {
      Problem(path, "is a pipe, socket or device; only regular files can be split");
    } else {
      AddFile(path, info, depth);
    }
  }

  void AddFile(const std::string& path, const FileInfo& info, int depth) {
    const auto opened = files_.Open(path);
    if (!opened.ok()) {
      if (opened.status().code() == Code::kPermissionDenied) ++denied_;
      Problem(path, opened.status().message());
      return;
    }
    ++found_;
    if (!seen_.emplace(info.device, info.inode).second) {
      // Directories hold links to their neighbours; whoever names a file twice has made a mistake.
      if (depth == 0) doubles_.push_back(path);
      return;
    }
    list_.push_back({path, info});
  }

  void AddDirectory(const std::string& path, const FileInfo& info, int depth) {
    if (depth > kDepthMax || !open_directories_.emplace(info.device, info.inode).second) {
      Problem(path, "a link makes this directory contain itself");
      return;
    }
    const auto names = files_.List(path);
    if (!names.ok()) {
      if (names.status().code() == Code::kPermissionDenied) ++denied_;
      Problem(path, names.status().message());
    } else {
      for (const std::string& name : *names) {
        if (name[0] == '.' || name[0] == '_') continue;
        const std::string child = path + (path.ends_with('/') ? "" : "/") + name;
        const Result<FileInfo> child_info = files_.Stat(child);
        if (child_info.ok()) {
          AddPath(child, *child_info, depth + 1);
        } else {
          Problem(child, child_info.status().message());
        }
      }
    }
    open_directories_.erase({info.device, info.inode});
  }

  FileSystem& files_;
  std::vector<FoundFile> list_;
  std::vector<std::string> problems_;
  std::vector<std::string> doubles_;
  std::size_t denied_ = 0;
  std::size_t found_ = 0;  ///< Files and problems so far.
  std::set<std::pair<std::uint64_t, std::uint64_t>> seen_;
  std::set<std::pair<std::uint64_t, std::uint64_t>> open_directories_;
};

}  // namespace

Result<std::vector<FoundFile>> ListInputFiles(FileSystem& files,
                                              const std::vector<std::string>& inputs) {
  Listing listing(files);
  for (const std::string& input : inputs) listing.Add(input);
  return listing.Finish();
}

}  // namespace spillway
