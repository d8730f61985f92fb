#include "runtime/storage/input_files.h"

#include <glob.h>

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "mapreduce/base/name_suggestion.h"
#include "mapreduce/base/units.h"
#include "mapreduce/partition_path.h"

namespace spillway {

namespace {

/// Deeper directories are taken for a loop of links.
constexpr int kDepthMax = 64;

std::string_view NameOf(std::string_view path) { return path.substr(path.rfind('/') + 1); }

class Listing {
 public:
  Listing(FileSystem& files, const PartitionFilter& where) : files_(files), where_(where) {}

  void Add(const std::string& input) {
    const Result<FileInfo> info = files_.Stat(input);
    if (info.ok()) {
      const std::size_t before = found_;
      AddNamed(input, *info);
      // The output of a job may be without parts.
      if (found_ == before && !files_.Stat(input + "/_SUCCESS").ok())
        Problem(input, "holds no files");
      return;
    }
    if (input == "-") {
      Problem(input,
              "standard input cannot be split and read again: write it to a file first, and name "
              "that (a file named - is ./-)");
      return;
    }
    if (input.find_first_of("*?[") == std::string::npos) {
      Problem(input, info.status());
      return;
    }
    glob_t found{};
    const int failed = ::glob(input.c_str(), 0, nullptr, &found);
    std::size_t hidden = 0;
    for (std::size_t i = 0; failed == 0 && i < found.gl_pathc; ++i) {
      if (IsHiddenMatch(found.gl_pathv[i], input)) {
        ++hidden;
        continue;
      }
      const Result<FileInfo> match = files_.Stat(found.gl_pathv[i]);
      if (match.ok()) {
        AddNamed(found.gl_pathv[i], *match);
      } else {
        Problem(found.gl_pathv[i], match.status());
      }
    }
    if (failed != 0) Problem(input, "no file matches this pattern");
    if (hidden > 0 && hidden == found.gl_pathc)
      Problem(input, "only files whose names begin with '.' or '_' match this pattern");
    ::globfree(&found);
  }

  Result<InputListing> Finish() {
    if (!astray_.ok()) return astray_;
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
    if (list_.files.empty() && list_.partitions_passed_over > 0)
      return NotFound("no directory of the input fits --where '" + EscapeForLog(where_.text()) +
                      "': " + FormatCount(list_.partitions_passed_over) +
                      " were passed over, such as '" + EscapeForLog(passed_over_) + "'");
    return std::move(list_);
  }

 private:
  void Problem(const std::string& path, const std::string& why) {
    ++found_;
    problems_.push_back(path + ": " + why);
  }

  /// The file system names the path in most of its messages.
  void Problem(const std::string& path, const Status& status) {
    if (status.message().find(path) == std::string::npos) return Problem(path, status.message());
    ++found_;
    problems_.push_back(status.message());
  }

  /// What the user named: directories in its path are levels like those below it.
  void AddNamed(const std::string& path, const FileInfo& info) {
    keys_.clear();
    bool fits = true;
    const std::string inside = info.kind == FileKind::kDirectory ? path + "/" : path;
    for (const PartitionLevel& level : ParsePartitionPath(inside)) fits = Enter(level) && fits;
    if (!fits) return PassOver(path);
    if (info.kind == FileKind::kDirectory && !keys_.empty() && where_.Names(keys_.back()))
      ++list_.partitions_read;
    AddPath(path, info, 0);
  }

  /// Whether the walk goes into the directory; it has its key then.
  bool Enter(const PartitionLevel& level) {
    seen_keys_.insert(level.key);
    if (!where_.Fits(level.key, level.value)) return false;
    keys_.push_back(level.key);
    return true;
  }

  void PassOver(const std::string& path) {
    ++found_;
    if (list_.partitions_passed_over++ == 0) passed_over_ = path;
  }

  /// A key that a file has not is a slip of the pen, or the input is not what it is taken for:
  /// nothing is left out without a word.
  void CheckKeys(const std::string& path) {
    const std::string missing = where_.KeyNotIn(keys_);
    if (missing.empty()) return;
    const std::vector<std::string> seen(seen_keys_.begin(), seen_keys_.end());
    std::string text = "--where: '" + EscapeForLog(path) + "' lies in no directory named " +
                       EscapeForLog(missing) + "=VALUE.";
    const bool others_have_it = seen_keys_.count(missing) != 0;
    const std::string meant = others_have_it ? "" : DidYouMean(missing, seen);
    constexpr std::size_t kShownMax = 10;
    if (seen.empty()) text += " The input has no directories named KEY=VALUE.";
    if (others_have_it) {
      text += " Others do: move it into such a directory or out of the input.";
    } else if (meant.empty() && !seen.empty()) {
      text += " The keys there:";
      for (std::size_t i = 0; i < seen.size() && i < kShownMax; ++i)
        text += (i == 0 ? " " : ", ") + EscapeForLog(seen[i]);
      text += ".";
    }
    astray_ = InvalidArgument(text + EscapeForLog(meant));
  }

  void AddPath(const std::string& path, const FileInfo& info, int depth) {
    if (!astray_.ok()) return;
    if (info.kind == FileKind::kDirectory) {
      AddDirectory(path, info, depth);
    } else if (info.kind == FileKind::kOther) {
      Problem(path,
              "is a pipe, socket or device; only regular files can be split and read again: copy "
              "what it gives to a file first");
    } else {
      AddFile(path, info, depth);
    }
  }

  void AddFile(const std::string& path, const FileInfo& info, int depth) {
    const auto opened = files_.Open(path);
    if (!opened.ok()) {
      if (opened.status().code() == Code::kPermissionDenied) ++denied_;
      Problem(path, opened.status());
      return;
    }
    // The kernel makes up such files as they are read: their size says nothing.
    char first;
    if (info.bytes == 0) {
      const auto got = (*opened)->ReadAt(0, 1, &first);
      if (!got.ok()) return Problem(path, got.status());
      if (*got > 0)
        return Problem(path,
                       "says that it has 0 bytes, and gives more; such a file cannot be split: "
                       "copy it to a regular file first");
    }
    ++found_;
    CheckKeys(path);
    if (!seen_.emplace(info.device, info.inode).second) {
      // Directories hold links to their neighbours; whoever names a file twice has made a mistake.
      if (depth == 0) doubles_.push_back(path);
      return;
    }
    list_.files.push_back({path, info});
  }

  void AddDirectory(const std::string& path, const FileInfo& info, int depth) {
    if (depth > kDepthMax || !open_directories_.emplace(info.device, info.inode).second) {
      Problem(path, "a link makes this directory contain itself");
      return;
    }
    const auto names = files_.List(path);
    if (!names.ok()) {
      if (names.status().code() == Code::kPermissionDenied) ++denied_;
      Problem(path, names.status());
    } else {
      for (const std::string& name : *names) {
        if (name[0] == '.' || name[0] == '_') continue;
        const std::string child = path + (path.ends_with('/') ? "" : "/") + name;
        const Result<FileInfo> child_info = files_.Stat(child);
        if (child_info.ok()) {
          AddChild(name, child, *child_info, depth + 1);
        } else {
          Problem(child, child_info.status());
        }
      }
    }
    open_directories_.erase({info.device, info.inode});
  }

  void AddChild(std::string_view name, const std::string& path, const FileInfo& info, int depth) {
    const auto level = info.kind == FileKind::kDirectory ? ParsePartitionLevel(name) : std::nullopt;
    if (!level.has_value()) return AddPath(path, info, depth);
    if (!Enter(*level)) return PassOver(path);
    if (where_.Names(level->key)) ++list_.partitions_read;
    AddPath(path, info, depth);
    keys_.pop_back();
  }

  FileSystem& files_;
  const PartitionFilter& where_;
  InputListing list_;
  Status astray_;                    ///< Not ok: the first file without a key of `where_`.
  std::vector<std::string> keys_;    ///< Of the directories that the walk is in.
  std::set<std::string> seen_keys_;  ///< Of those that it came by.
  std::string passed_over_;          ///< The first one.
  std::vector<std::string> problems_;
  std::vector<std::string> doubles_;
  std::size_t denied_ = 0;
  std::size_t found_ = 0;  ///< Files and problems so far.
  std::set<std::pair<std::uint64_t, std::uint64_t>> seen_;
  std::set<std::pair<std::uint64_t, std::uint64_t>> open_directories_;
};

}  // namespace

bool IsHiddenMatch(std::string_view path, std::string_view pattern) {
  const std::string_view name = NameOf(path);
  if (name.empty() || (name[0] != '_' && name[0] != '.')) return false;
  return NameOf(pattern).substr(0, 1) != name.substr(0, 1);
}

Result<InputListing> ListInputFiles(FileSystem& files, const std::vector<std::string>& inputs,
                                    const PartitionFilter& where) {
  Listing listing(files, where);
  for (const std::string& input : inputs) listing.Add(input);
  return listing.Finish();
}

}  // namespace spillway
