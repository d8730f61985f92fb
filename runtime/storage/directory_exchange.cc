#include "runtime/storage/directory_exchange.h"

#include <algorithm>
#include <set>
#include <utility>

#include "mapreduce/base/units.h"
#include "mapreduce/output_path.h"
#include "mapreduce/partition_path.h"
#include "runtime/storage/directory_tree.h"
#include "runtime/storage/output_place.h"
#include "shuffle/store/kill_point.h"

namespace spillway {

namespace {

std::string ParentOf(const std::string& path) { return path.substr(0, path.rfind('/')); }

Status Either(const Status& status, Code good) {
  return status.code() == good ? OkStatus() : status;
}

}  // namespace

DirectoryExchange::DirectoryExchange(FileSystem& files, ExchangeOptions options)
    : files_(files), options_(std::move(options)), mark_(".spillway-" + options_.job_id) {}

bool DirectoryExchange::begun() { return files_.Stat(Staged(kListName)).ok(); }

/// That it is a directory follows from CheckLevel of what it lies in.
Status DirectoryExchange::CheckLeaf(const std::string& directory) {
  const Result<FileInfo> info = files_.Stat(Placed(directory));
  if (info.status().code() == Code::kNotFound) return OkStatus();
  SPILLWAY_RETURN_IF_ERROR(info.status());
  SPILLWAY_ASSIGN_OR_RETURN(const auto names, files_.List(Placed(directory)));
  for (const std::string& name : names)
    if (ParsePartitionLevel(name).has_value())
      return AlreadyExists("'" + EscapeForLog(Placed(directory)) + "' is parted further, by '" +
                           EscapeForLog(name) +
                           "', and the job writes to it as a whole: nothing was replaced. Choose "
                           "another --output");
  if (IsJobOutput(files_, Placed(directory)) || MarksAllBelow(files_, options_.output_dir))
    return OkStatus();
  SPILLWAY_ASSIGN_OR_RETURN(const bool vacant, IsVacant(files_, Placed(directory)));
  if (vacant) return OkStatus();
  return AlreadyExists("'" + EscapeForLog(Placed(directory)) +
                       "' has files in it that no job has written, for it has neither " +
                       kManifestName + " nor " + kSuccessName +
                       ": nothing was replaced. Choose another --output, or remove the directory "
                       "yourself");
}

Status DirectoryExchange::CheckLevel(const std::string& level) {
  const Result<FileInfo> info = files_.Stat(Placed(level));
  if (info.status().code() == Code::kNotFound) return OkStatus();
  SPILLWAY_RETURN_IF_ERROR(info.status());
  SPILLWAY_ASSIGN_OR_RETURN(const auto names, files_.List(Placed(level)));
  for (const std::string& name : names) {
    if (name[0] == '.' || name[0] == '_') continue;
    const Result<FileInfo> child = files_.Stat(Placed(level) + "/" + name);
    if (child.ok() && child->kind == FileKind::kDirectory) continue;
    return AlreadyExists("'" + EscapeForLog(Placed(level)) + "' holds the file '" +
                         EscapeForLog(name) +
                         "', and the job writes to directories below it: nothing was replaced. "
                         "Choose another --output");
  }
  return OkStatus();
}

Status DirectoryExchange::CheckLayout(const OutputTree& tree) {
  std::vector<std::string> all = tree.LevelsBetween();
  const std::set<std::string> levels(all.begin(), all.end());
  for (const auto& [directory, unused] : tree.directories())
    if (!directory.empty()) all.push_back(directory);
  for (const std::string& directory : all)
    if (IsSymbolicLink(Placed(directory)))
      return AlreadyExists("'" + EscapeForLog(Placed(directory)) +
                           "' is a symbolic link, which no output replaces");
  SPILLWAY_RETURN_IF_ERROR(CheckLevel(""));
  for (const std::string& directory : all)
    SPILLWAY_RETURN_IF_ERROR(levels.contains(directory) ? CheckLevel(directory)
                                                        : CheckLeaf(directory));
  // Within the job, too: the exchange of one directory would take others with it.
  for (const std::string& directory : all)
    for (std::size_t slash = directory.find('/'); slash != std::string::npos;
         slash = directory.find('/', slash + 1))
      if (!levels.contains(directory.substr(0, slash)))
        return AlreadyExists("the job writes to '" + EscapeForLog(directory.substr(0, slash)) +
                             "' and to '" + EscapeForLog(directory) +
                             "' below it, which cannot be replaced one without the other");
  return OkStatus();
}

Status DirectoryExchange::WriteEmpty(const std::string& path) {
  const auto file = files_.Create(path);
  if (file.status().code() == Code::kAlreadyExists) return OkStatus();
  SPILLWAY_RETURN_IF_ERROR(file.status());
  return (*file)->Close();
}

Status DirectoryExchange::Begin(const OutputTree& tree) {
  SPILLWAY_RETURN_IF_ERROR(CheckLayout(tree));
  std::string list;
  for (const auto& [directory, unused] : tree.directories()) {
    if (directory.empty()) continue;
    list += directory + "\n";
    SPILLWAY_RETURN_IF_ERROR(WriteEmpty(Staged(directory) + "/" + mark_));
    if (options_.durable) SPILLWAY_RETURN_IF_ERROR(files_.SyncDirectory(Staged(directory)));
    KillPoint("exchange-marked");
  }
  // Its name is what counts, so it gets it when it is whole.
  const std::string unfinished = Staged(std::string(kListName) + "-0");
  SPILLWAY_RETURN_IF_ERROR(Either(files_.Remove(unfinished), Code::kNotFound));
  SPILLWAY_ASSIGN_OR_RETURN(const auto file, files_.Create(unfinished));
  SPILLWAY_RETURN_IF_ERROR(file->Append(list));
  if (options_.durable) SPILLWAY_RETURN_IF_ERROR(file->Sync());
  SPILLWAY_RETURN_IF_ERROR(file->Close());
  KillPoint("exchange-list-written");
  SPILLWAY_RETURN_IF_ERROR(files_.RenameNoReplace(unfinished, Staged(kListName)));
  KillPoint("exchange-listed");
  return options_.durable ? files_.SyncDirectory(options_.staging_dir) : OkStatus();
}

Status DirectoryExchange::Move(const std::string& directory) {
  // The mark is at one of the two places, until it is removed from the output when all is done.
  if (!files_.Stat(Staged(directory) + "/" + mark_).ok()) return OkStatus();
  for (std::size_t slash = directory.find('/'); slash != std::string::npos;
       slash = directory.find('/', slash + 1))
    SPILLWAY_RETURN_IF_ERROR(Either(files_.MakeDirectory(Placed(directory.substr(0, slash)), 0755),
                                    Code::kAlreadyExists));
  if (files_.Stat(Placed(directory)).ok())
    return files_.Exchange(Staged(directory), Placed(directory));
  return files_.RenameNoReplace(Staged(directory), Placed(directory));
}

Result<std::string> DirectoryExchange::ReadAll(const std::string& path) {
  SPILLWAY_ASSIGN_OR_RETURN(const auto file, files_.Open(path));
  SPILLWAY_ASSIGN_OR_RETURN(const std::uint64_t bytes, file->Size());
  std::string text(bytes, '\0');
  SPILLWAY_ASSIGN_OR_RETURN(const std::uint64_t got, file->ReadAt(0, bytes, text.data()));
  text.resize(got);
  return text;
}

/// A file of the output itself, which is to have this text. What is staged was exchanged before
/// when it has not.
Status DirectoryExchange::MoveFile(const std::string& name, const std::string& text) {
  const auto placed = ReadAll(Placed(name));
  if (placed.ok() && *placed == text) return OkStatus();
  if (placed.status().code() == Code::kNotFound)
    return files_.RenameNoReplace(Staged(name), Placed(name));
  SPILLWAY_RETURN_IF_ERROR(placed.status());
  return files_.Exchange(Staged(name), Placed(name));
}

Status DirectoryExchange::Run(const OutputTree& tree, const std::string& manifest) {
  std::set<std::string> parents = {options_.output_dir};
  for (const auto& [directory, unused] : tree.directories()) {
    if (directory.empty()) continue;
    SPILLWAY_RETURN_IF_ERROR(
        Move(directory).Annotate("publishing '" + EscapeForLog(directory) + "'"));
    KillPoint("exchange-moved");
    for (std::string place = directory; place.find('/') != std::string::npos;) {
      place = ParentOf(place);
      parents.insert(Placed(place));
    }
  }
  SPILLWAY_RETURN_IF_ERROR(MoveFile(kManifestName, manifest));
  KillPoint("exchange-described");
  SPILLWAY_RETURN_IF_ERROR(MoveFile(kSuccessName, ""));
  if (!options_.durable) return OkStatus();
  for (const std::string& parent : parents) SPILLWAY_RETURN_IF_ERROR(files_.SyncDirectory(parent));
  return OkStatus();
}

void DirectoryExchange::RemoveMarks(const std::vector<std::string>& directories) {
  for (const std::string& directory : directories) {
    static_cast<void>(files_.Remove(Placed(directory) + "/" + mark_).ok());  // Or it is gone.
    KillPoint("exchange-unmarked");
  }
}

std::vector<std::string> DirectoryExchange::ReadList(FileSystem& files,
                                                     const std::string& staging_dir) {
  DirectoryExchange reader(files, {staging_dir, "", "", false});
  std::vector<std::string> list;
  const auto text = reader.ReadAll(reader.Staged(kListName));
  for (std::size_t at = 0; text.ok() && at < text->size();) {
    const std::size_t end = std::min(text->find('\n', at), text->size());
    list.push_back(text->substr(at, end - at));
    if (!WhyNoOutputPath(list.back()).empty()) return {};  // Not what this class has written.
    at = end + 1;
  }
  return list;
}

}  // namespace spillway
