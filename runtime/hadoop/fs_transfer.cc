#include "runtime/hadoop/fs_transfer.h"

#include <boost/filesystem.hpp>
#include <fstream>
#include <istream>
#include <ostream>

#include "runtime/hadoop/fs_listing.h"

namespace spillway {
namespace {

namespace fs = boost::filesystem;
using Error = boost::system::error_code;

constexpr std::size_t kCopyBytes = 1 << 20;

/// What compressed and sequence files begin with, which -text would have to read.
constexpr std::string_view kNotText[] = {"\x1f\x8b", "BZh", "SEQ", "\x28\xb5\x2f\xfd"};

bool IsDirectory(const HadoopPath& path) {
  Error error;
  return fs::is_directory(path.local, error);
}

std::string NameOf(const HadoopPath& path) { return fs::path(path.local).filename().string(); }

/// All of `from`; `path` is for the message.
Status Pour(std::istream& from, std::ostream& to, const HadoopPath& path) {
  std::string buffer(kCopyBytes, '\0');
  while (from.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) || from.gcount() > 0)
    if (!to.write(buffer.data(), from.gcount())) return FsError(path, "cannot be written");
  if (from.bad()) return FsError(path, "cannot be read");
  return OkStatus();
}

Status PourFile(const HadoopPath& from, std::ostream& to) {
  std::ifstream in(from.local, std::ios::binary);
  if (!in) return FsError(from, "Permission denied");
  return Pour(in, to, from);
}

/// A file beside `to`, renamed when it is whole.
template <class Fill>
Status WriteWhole(const HadoopPath& to, Fill&& fill) {
  Error error;
  const auto parent = fs::path(to.local).parent_path();
  if (!parent.empty() && !fs::is_directory(parent, error)) return NoSuchFile(to);
  const std::string partial = to.local + "._COPYING_";
  Status status;
  {
    std::ofstream out(partial, std::ios::binary | std::ios::trunc);
    if (!out) return FsError(to, "Permission denied");
    status = fill(out);
    out.close();
    if (status.ok() && !out) status = FsError(to, "cannot be written");
  }
  error.clear();
  if (status.ok()) fs::rename(partial, to.local, error);
  if (status.ok() && error) status = FsError(to, error.message());
  if (!status.ok()) fs::remove(partial, error);
  return status;
}

Status CopyTree(const HadoopPath& from, const HadoopPath& to) {
  Error error;
  if (!IsDirectory(from)) {
    SPILLWAY_RETURN_IF_ERROR(
        WriteWhole(to, [&from](std::ostream& out) { return PourFile(from, out); }));
    const auto permissions = fs::status(from.local, error).permissions();
    if (!error) fs::permissions(to.local, permissions, error);
    return OkStatus();
  }
  const auto entries = EntriesOf(from);  // Before the copy is among them.
  fs::create_directory(to.local, error);
  if (error) return FsError(to, error.message());
  for (const HadoopPath& entry : entries)
    SPILLWAY_RETURN_IF_ERROR(CopyTree(entry, Below(to, NameOf(entry))));
  return OkStatus();
}

Status Move(const HadoopPath& from, const HadoopPath& to) {
  Error error;
  fs::rename(from.local, to.local, error);
  return error ? FsError(from, error.message()) : OkStatus();
}

/// What copies and moves have in common: the last operand is where to, and a directory there takes
/// what it is given under its own name.
struct Transfer {
  std::string_view name;
  bool overwrite = false;
  Status (*one)(const HadoopPath& from, const HadoopPath& to) = nullptr;

  Status Run(const HadoopPath& from, const HadoopPath& where) const {
    const HadoopPath to = IsDirectory(where) ? Below(where, NameOf(from)) : where;
    Error error;
    if (fs::exists(to.local, error)) {
      if (fs::equivalent(from.local, to.local, error)) return FsError(to, "is the source itself");
      if (!overwrite) return FsError(to, "File exists");
      if (IsDirectory(to)) return FsError(to, "Is a directory");
    }
    return one(from, to);
  }

  int RunAll(const std::vector<HadoopPath>& sources, const HadoopPath& where,
             const FsShell& shell) const {
    if (sources.size() > 1 && !IsDirectory(where))
      return ReportFs(name, FsError(where, "No such file or directory"), shell);
    int exit_code = 0;
    for (const HadoopPath& source : sources) exit_code |= ReportFs(name, Run(source, where), shell);
    return exit_code;
  }
};

std::vector<std::string> Sources(const FsWords& words) {
  return {words.operands.begin(), words.operands.end() - 1};
}

int RunTransfer(const Transfer& transfer, const FsWords& words, const FsShell& shell) {
  const auto where = shell.paths.Find(words.operands.back());
  if (!where.ok()) return ReportFs(transfer.name, where.status(), shell);
  int exit_code = 0;
  const auto sources = ExistingPaths(transfer.name, Sources(words), shell, &exit_code);
  return exit_code | transfer.RunAll(sources, *where, shell);
}

int PutStdin(const HadoopPath& where, bool overwrite, const FsShell& shell) {
  Error error;
  if (fs::exists(where.local, error) && !overwrite)
    return ReportFs("put", FsError(where, "File exists"), shell);
  return ReportFs("put",
                  WriteWhole(where, [&](std::ostream& out) { return Pour(shell.in, out, where); }),
                  shell);
}

int WriteOut(std::string_view name, const FsWords& words, bool text, const FsShell& shell) {
  int exit_code = 0;
  for (const HadoopPath& path : ExistingPaths(name, words.operands, shell, &exit_code)) {
    if (IsDirectory(path)) {
      exit_code |= ReportFs(name, FsError(path, "Is a directory"), shell);
      continue;
    }
    char start[4] = {};
    std::ifstream(path.local, std::ios::binary).read(start, sizeof start);
    Status status;
    for (const std::string_view magic : kNotText)
      if (text && std::string_view(start, sizeof start).starts_with(magic))
        status = FsError(path, "compressed and sequence files are not read here");
    if (status.ok()) status = PourFile(path, shell.out);
    exit_code |= ReportFs(name, status, shell);
  }
  return exit_code;
}

}  // namespace

int FsPut(const FsWords& words, const FsShell& shell) {
  const auto where = shell.paths.Find(words.operands.back());
  if (!where.ok()) return ReportFs("put", where.status(), shell);
  const auto sources = Sources(words);
  if (sources.size() == 1 && sources[0] == "-") return PutStdin(*where, words.Has("f"), shell);
  int exit_code = 0;
  std::vector<HadoopPath> found;
  for (const std::string& source : sources) {
    const auto path = shell.paths.FindLocal(source);
    exit_code |= ReportFs("put", path.status(), shell);
    if (!path.ok()) continue;
    Error error;
    if (fs::exists(path->local, error)) {
      found.push_back(*path);
    } else {
      exit_code |= ReportFs("put", NoSuchFile(*path), shell);
    }
  }
  return exit_code | Transfer{"put", words.Has("f"), CopyTree}.RunAll(found, *where, shell);
}

int FsGet(const FsWords& words, const FsShell& shell) {
  const auto where = shell.paths.FindLocal(words.operands.back());
  if (!where.ok()) return ReportFs("get", where.status(), shell);
  int exit_code = 0;
  const auto sources = ExistingPaths("get", Sources(words), shell, &exit_code);
  return exit_code | Transfer{"get", words.Has("f"), CopyTree}.RunAll(sources, *where, shell);
}

int FsCopy(const FsWords& words, const FsShell& shell) {
  return RunTransfer({"cp", words.Has("f"), CopyTree}, words, shell);
}

int FsMove(const FsWords& words, const FsShell& shell) {
  return RunTransfer({"mv", false, Move}, words, shell);
}

int FsCat(const FsWords& words, const FsShell& shell) {
  return WriteOut("cat", words, false, shell);
}

int FsText(const FsWords& words, const FsShell& shell) {
  return WriteOut("text", words, true, shell);
}

int FsGetMerge(const FsWords& words, const FsShell& shell) {
  const auto where = shell.paths.FindLocal(words.operands.back());
  if (!where.ok()) return ReportFs("getmerge", where.status(), shell);
  int exit_code = 0;
  std::vector<HadoopPath> files;
  for (const HadoopPath& path : ExistingPaths("getmerge", Sources(words), shell, &exit_code)) {
    if (!IsDirectory(path)) files.push_back(path);
    for (const HadoopPath& entry : EntriesOf(path))
      if (!IsDirectory(entry)) files.push_back(entry);
  }
  if (exit_code != 0) return exit_code;
  const auto merge = [&](std::ostream& out) -> Status {
    for (const HadoopPath& file : files) {
      SPILLWAY_RETURN_IF_ERROR(PourFile(file, out));
      if (words.Has("nl")) out << '\n';
    }
    return OkStatus();
  };
  return ReportFs("getmerge", WriteWhole(*where, merge), shell);
}

}  // namespace spillway
