#include "runtime/worker/job_files.h"

#include <utility>

#include "mapreduce/base/units.h"
#include "runtime/protocol/wire_values.h"
#include "runtime/storage/content_hash.h"
#include "runtime/transfer/job_directory.h"
#include "shuffle/store/disk_segment_store.h"
#include "shuffle/store/kill_point.h"

namespace spillway {

namespace {

constexpr std::uint64_t kPieceBytes = 512 << 10;

Status CopyLocal(FileSystem& files, const wire::PinnedFile& file, const std::string& to) {
  const std::string& from = file.path();
  SPILLWAY_ASSIGN_OR_RETURN(const FileInfo info, files.Stat(from));
  if (info.kind != FileKind::kRegular || info.bytes != file.bytes())
    return BadData("'" + EscapeForLog(from) + "' is not the file that was submitted");
  SPILLWAY_ASSIGN_OR_RETURN(const auto in, files.Open(from));
  SPILLWAY_ASSIGN_OR_RETURN(const auto out, files.Create(to));
  std::string piece(kPieceBytes, '\0');
  for (std::uint64_t offset = 0;;) {
    SPILLWAY_ASSIGN_OR_RETURN(const std::uint64_t got,
                              in->ReadAt(offset, piece.size(), piece.data()));
    if (got == 0) return out->Close();
    SPILLWAY_RETURN_IF_ERROR(out->Append({piece.data(), got}));
    offset += got;
  }
}

Status CopyRemote(FileSystem& files, const FileAsker& ask, std::uint64_t job,
                  const wire::PinnedFile& file, const std::string& to) {
  auto created = files.Create(to);
  SPILLWAY_RETURN_IF_ERROR(ScratchFailure(created.status()));
  const std::unique_ptr<WritableFile> out = std::move(created).value();
  for (std::uint64_t offset = 0; offset <= file.bytes();) {
    SPILLWAY_ASSIGN_OR_RETURN(const wire::FileBytes piece, ask(job, file.name(), offset));
    SPILLWAY_RETURN_IF_ERROR(ScratchFailure(out->Append(piece.bytes())));
    offset += piece.bytes().size();
    if (piece.last() || piece.bytes().empty()) break;
  }
  return ScratchFailure(out->Close());
}

Status CheckHash(const wire::PinnedFile& file, const std::string& path) {
  SPILLWAY_ASSIGN_OR_RETURN(const std::string hash, FileSha256(path));
  if (hash == file.sha256()) return OkStatus();
  return BadData("'" + EscapeForLog(file.path()) +
                 "' is not the file that was submitted: its SHA-256 differs; it was changed since, "
                 "or is another one on this host. Submit the job again");
}

/// Replaces the path of `file` by that of a copy.
Status Pin(FileSystem& files, const FileAsker& ask, std::uint64_t job, const std::string& to,
           wire::PinnedFile& file) {
  Status local = CopyLocal(files, file, to);
  if (local.ok()) local = CheckHash(file, to);
  if (local.code() == Code::kResourceExhausted) return local;
  if (!local.ok()) {
    (void)files.Remove(to);
    const Status remote = CopyRemote(files, ask, job, file, to);
    if (!remote.ok()) return remote.Annotate("fetching '" + EscapeForLog(file.path()) + "'");
    SPILLWAY_RETURN_IF_ERROR(CheckHash(file, to));
  }
  file.set_path(to);
  return OkStatus();
}

/// Copies all files of the job into its directory in `scratch_dir`, and names the copies in
/// `start`.
Status PinAll(FileSystem& files, const std::string& scratch_dir, const FileAsker& ask,
              wire::StartJob& start) {
  const std::string copies = JobDirectory(scratch_dir, start.job()) + "/files";
  SPILLWAY_RETURN_IF_ERROR(ScratchFailure(files.MakeDirectory(copies, 0700)));
  wire::JobSpec& spec = *start.mutable_spec();
  SPILLWAY_RETURN_IF_ERROR(
      Pin(files, ask, start.job(), copies + "/plugin.so", *spec.mutable_plugin()));
  if (start.inputs_bytes() > 0) {
    wire::PinnedFile names;
    names.set_name(kInputNamesFile);
    names.set_bytes(start.inputs_bytes());
    start.set_inputs_path(copies + "/inputs");
    SPILLWAY_RETURN_IF_ERROR(
        CopyRemote(files, ask, start.job(), names, start.inputs_path()).Annotate("input names"));
  }
  int number = 0;
  for (wire::PinnedFile& file : *spec.mutable_side_files())
    SPILLWAY_RETURN_IF_ERROR(
        Pin(files, ask, start.job(), copies + "/side-" + std::to_string(number++), file));
  return OkStatus();
}

}  // namespace

Status PrepareJobFiles(FileSystem& files, const std::vector<std::string>& scratch_dirs,
                       const FileAsker& ask, wire::StartJob& start) {
  Status failure;
  std::vector<std::string> usable;
  for (const std::string& directory : scratch_dirs) {
    const std::string path = JobDirectory(directory, start.job());
    Status made = files.RemoveTree(path);  // Of an earlier start here.
    if (made.ok() || made.code() == Code::kNotFound) made = files.MakeDirectory(path, 0700);
    if (made.ok())
      usable.push_back(directory);
    else
      failure = ScratchFailure(made);  // Segments go to the others: the store passes it over.
  }
  KillPoint("job-directory-made");
  for (const std::string& directory : usable) {
    wire::StartJob pinned = start;
    failure = PinAll(files, directory, ask, pinned);
    if (failure.ok()) {
      KillPoint("job-files-pinned");
      start = std::move(pinned);
      return OkStatus();
    }
    if (failure.code() != Code::kResourceExhausted) return failure;
    // A full disk: what it has taken would only be in the way of segments.
    (void)files.RemoveTree(JobDirectory(directory, start.job()) + "/files");
  }
  return failure;
}

void RemoveJobFiles(FileSystem& files, const std::vector<std::string>& scratch_dirs,
                    std::uint64_t job) {
  for (const std::string& directory : scratch_dirs) {
    const Status removed = files.RemoveTree(JobDirectory(directory, job));
    static_cast<void>(removed.ok());
  }
  KillPoint("job-files-removed");
}

}  // namespace spillway
