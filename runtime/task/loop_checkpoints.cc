#include "runtime/task/loop_checkpoints.h"

#include "mapreduce/loop_file.h"
#include "shuffle/store/kill_point.h"

namespace spillway {

std::string LoopCheckpoints::PathOf(std::uint32_t round) const {
  return staging_dir_ + "/checkpoint-" + std::to_string(round);
}

Status LoopCheckpoints::Write(std::uint32_t round, std::uint32_t writer,
                              std::string_view state) const {
  const std::string bytes = LoopFile{round, 0, state}.Encode();
  const std::string path = PathOf(round);
  const std::string aside = path + "." + std::to_string(writer);
  SPILLWAY_RETURN_IF_ERROR(WriteFile(aside, bytes).Annotate("writing a loop's checkpoint"));
  KillPoint("checkpoint-aside");
  Status renamed = files_.RenameNoReplace(aside, path);
  if (renamed.code() == Code::kAlreadyExists) {
    if (Read(round).ok()) {  // Its writer may have died before its name was durable.
      renamed = files_.Remove(aside);
    } else {
      SPILLWAY_RETURN_IF_ERROR(files_.Remove(path));
      renamed = files_.RenameNoReplace(aside, path);
    }
  }
  SPILLWAY_RETURN_IF_ERROR(renamed);
  KillPoint("checkpoint-renamed");
  return durable_ ? files_.SyncDirectory(staging_dir_) : OkStatus();
}

Status LoopCheckpoints::WriteFile(const std::string& path, std::string_view bytes) const {
  Result<std::unique_ptr<WritableFile>> file = files_.Create(path);
  if (file.status().code() == Code::kAlreadyExists) {  // Of an attempt that was cut short.
    SPILLWAY_RETURN_IF_ERROR(files_.Remove(path));
    file = files_.Create(path);
  }
  SPILLWAY_RETURN_IF_ERROR(file.status());
  KillPoint("checkpoint-created");
  SPILLWAY_RETURN_IF_ERROR((*file)->Append(bytes));
  KillPoint("checkpoint-written");
  if (durable_) SPILLWAY_RETURN_IF_ERROR((*file)->Sync());
  return (*file)->Close();
}

Result<std::string> LoopCheckpoints::Read(std::uint32_t round) const {
  const std::string path = PathOf(round);
  SPILLWAY_ASSIGN_OR_RETURN(const auto file, files_.Open(path));
  SPILLWAY_ASSIGN_OR_RETURN(const std::uint64_t size, file->Size());
  std::string bytes(size, '\0');
  SPILLWAY_ASSIGN_OR_RETURN(const std::uint64_t got, file->ReadAt(0, size, bytes.data()));
  SPILLWAY_ASSIGN_OR_RETURN(const std::string_view state,
                            Parse(std::string_view(bytes).substr(0, got), round, path));
  return std::string(state);
}

Result<std::string_view> LoopCheckpoints::Parse(std::string_view bytes, std::uint32_t round,
                                                const std::string& path) {
  const Result<LoopFile> file = LoopFile::Parse(bytes);
  if (!file.ok()) return file.status().Annotate("the checkpoint '" + path + "'");
  if (file->round != round)
    return DataLoss("the checkpoint '" + path + "' is of round " + std::to_string(file->round));
  return file->state;
}

void LoopCheckpoints::Remove(std::uint32_t round) const {
  const Status removed = files_.Remove(PathOf(round));
  KillPoint("checkpoint-removed");
  static_cast<void>(removed.ok());  // The staging directory goes, or is cleaned, in the end.
}

}  // namespace spillway
