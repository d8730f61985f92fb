#include "runtime/hadoop/fs_listing.h"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/filesystem.hpp>
#include <cstdio>
#include <ctime>
#include <ostream>

#include "runtime/hadoop/hadoop_exit.h"

namespace spillway {
namespace {

namespace fs = boost::filesystem;

std::string UserName(uid_t id) {
  const passwd* user = ::getpwuid(id);
  return user != nullptr ? user->pw_name : std::to_string(id);
}

std::string GroupName(gid_t id) {
  const group* found = ::getgrgid(id);
  return found != nullptr ? found->gr_name : std::to_string(id);
}

std::string Permissions(mode_t mode) {
  std::string text = S_ISDIR(mode) ? "d" : "-";
  for (int shift = 8; shift >= 0; --shift)
    text += (mode >> shift & 1) != 0 ? "xwr"[shift % 3] : '-';
  return text;
}

std::string TimeText(std::time_t time, const char* format, bool utc) {
  std::tm parts = {};
  if (utc) {
    ::gmtime_r(&time, &parts);
  } else {
    ::localtime_r(&time, &parts);
  }
  char text[32];
  return {text, std::strftime(text, sizeof text, format, &parts)};
}

/// 1.5 K, as -h shows it.
std::string SizeText(std::uint64_t bytes, bool human) {
  if (!human || bytes < 1024) return std::to_string(bytes);
  double size = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; size >= 1024 && unit < 5; ++unit) size /= 1024;
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %c", size, " KMGTP"[unit]);
  return text;
}

bool Look(const HadoopPath& path, struct stat* info) {
  return ::stat(path.local.c_str(), info) == 0 || ::lstat(path.local.c_str(), info) == 0;
}

std::string Padded(const std::string& text, std::size_t columns) {
  return std::string(columns - std::min(columns, text.size()), ' ') + text;
}

void ListOne(const HadoopPath& path, const FsWords& words, const FsShell& shell) {
  struct stat info = {};
  if (!Look(path, &info)) return;
  if (words.Has("C")) {
    shell.out << path.shown << "\n";
    return;
  }
  const bool directory = S_ISDIR(info.st_mode);
  const auto bytes = directory ? 0 : static_cast<std::uint64_t>(info.st_size);
  shell.out << Permissions(info.st_mode) << (directory ? "   -" : "   1") << " "
            << UserName(info.st_uid) << " " << GroupName(info.st_gid) << " "
            << Padded(SizeText(bytes, words.Has("h")), 10) << " "
            << TimeText(info.st_mtime, "%Y-%m-%d %H:%M", false) << " " << path.shown << "\n";
}

bool IsDirectory(const HadoopPath& path) {
  boost::system::error_code error;
  return fs::is_directory(path.local, error);
}

void ListDirectory(const HadoopPath& directory, const FsWords& words, const FsShell& shell) {
  const auto entries = EntriesOf(directory);
  if (!words.Has("R") && !words.Has("C") && !entries.empty())
    shell.out << "Found " << entries.size() << " items\n";
  for (const HadoopPath& entry : entries) {
    ListOne(entry, words, shell);
    boost::system::error_code error;
    if (words.Has("R") && IsDirectory(entry) && !fs::is_symlink(entry.local, error))
      ListDirectory(entry, words, shell);
  }
}

std::uint64_t BytesBelow(const HadoopPath& path) {
  if (!IsDirectory(path)) {
    boost::system::error_code error;
    const auto bytes = fs::file_size(path.local, error);
    return error ? 0 : bytes;
  }
  std::uint64_t bytes = 0;
  for (const HadoopPath& entry : EntriesOf(path)) bytes += BytesBelow(entry);
  return bytes;
}

std::string StatText(const std::string& format, const HadoopPath& path) {
  struct stat info = {};
  Look(path, &info);
  std::string text;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%' || i + 1 == format.size()) {
      text += format[i];
      continue;
    }
    const bool directory = S_ISDIR(info.st_mode);
    switch (format[++i]) {
      case 'b': text += std::to_string(directory ? 0 : info.st_size); break;
      case 'F': text += directory ? "directory" : "regular file"; break;
      case 'g': text += GroupName(info.st_gid); break;
      case 'n': text += fs::path(path.local).filename().string(); break;
      case 'o': text += directory ? "0" : "134217728"; break;
      case 'r': text += directory ? "0" : "1"; break;
      case 'u': text += UserName(info.st_uid); break;
      case 'y': text += TimeText(info.st_mtime, "%Y-%m-%d %H:%M:%S", true); break;
      case 'Y': text += std::to_string(static_cast<std::int64_t>(info.st_mtime) * 1000); break;
      default: text += format[i];
    }
  }
  return text;
}

std::vector<std::string> OperandsOrHome(const FsWords& words) {
  return words.operands.empty() ? std::vector<std::string>{"."} : words.operands;
}

}  // namespace

std::vector<HadoopPath> EntriesOf(const HadoopPath& directory) {
  std::vector<HadoopPath> entries;
  boost::system::error_code error;
  for (fs::directory_iterator at(directory.local, error), end; !error && at != end;
       at.increment(error))
    entries.push_back(Below(directory, at->path().filename().string()));
  std::sort(entries.begin(), entries.end(),
            [](const HadoopPath& a, const HadoopPath& b) { return a.local < b.local; });
  return entries;
}

int FsList(const FsWords& words, const FsShell& shell) {
  int exit_code = 0;
  for (const HadoopPath& path : ExistingPaths("ls", OperandsOrHome(words), shell, &exit_code)) {
    if (IsDirectory(path) && !words.Has("d")) {
      ListDirectory(path, words, shell);
    } else {
      ListOne(path, words, shell);
    }
  }
  return exit_code;
}

int FsDiskUsage(const FsWords& words, const FsShell& shell) {
  int exit_code = 0;
  for (const HadoopPath& path : ExistingPaths("du", OperandsOrHome(words), shell, &exit_code)) {
    const bool entries = IsDirectory(path) && !words.Has("s");
    for (const HadoopPath& shown : entries ? EntriesOf(path) : std::vector{path}) {
      const std::string size = SizeText(BytesBelow(shown), words.Has("h"));
      shell.out << size << "  " << size << "  " << shown.shown << "\n";  // One copy of each byte.
    }
  }
  return exit_code;
}

int FsStat(const FsWords& words, const FsShell& shell) {
  int exit_code = 0;
  std::vector<std::string> operands = words.operands;
  std::string format = "%y";
  if (operands[0].find('%') != std::string::npos) {
    format = operands[0];
    operands.erase(operands.begin());
  }
  for (const HadoopPath& path : ExistingPaths("stat", operands, shell, &exit_code))
    shell.out << StatText(format, path) << "\n";
  return exit_code;
}

int FsTest(const FsWords& words, const FsShell& shell) {
  if (words.switches.size() != 1) {
    shell.err << "test: give one of -e, -d, -f, -s and -z\n";
    return kHadoopUsage;
  }
  const auto paths = shell.paths.Expand(words.operands[0]);
  if (paths.status().code() == Code::kInvalidArgument)
    return ReportFs("test", paths.status(), shell);
  struct stat info = {};
  if (!paths.ok() || paths->empty() || !Look(paths->front(), &info)) return 1;
  const bool directory = S_ISDIR(info.st_mode);
  bool holds = true;  // -e
  if (words.Has("d")) holds = directory;
  if (words.Has("f")) holds = !directory;
  if (words.Has("s")) holds = BytesBelow(paths->front()) != 0;
  if (words.Has("z")) holds = !directory && info.st_size == 0;
  return holds ? 0 : 1;
}

}  // namespace spillway
