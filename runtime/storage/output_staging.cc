#include "runtime/storage/output_staging.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <set>

#include "runtime/storage/owner_marker.h"

namespace spillway {

namespace {

constexpr const char* kAttempts = "/attempts";
constexpr const char* kManifest = "_manifest.json";

struct SplitPath {
  std::string parent, name;
};

/// The path without trailing slashes, cut at its last slash.
SplitPath Split(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {".", path};
  return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

std::string StagingPrefix(const std::string& name) { return "." + name + ".spillway-"; }

/// Removes a directory that carries our marker, and the marker last: a removal that is cut short
/// can be told, and finished, by the next job.
void RemoveMarked(FileSystem& files, const std::string& directory) {
  Status removed;
  if (const auto names = files.List(directory); names.ok()) {
    for (const std::string& name : *names)
      if (name != kOwnerMarkerName && removed.ok())
        removed = files.RemoveTree(directory + "/" + name);
  }
  if (removed.ok()) removed = files.RemoveTree(directory);
  static_cast<void>(removed.ok());  // The next job for this output tries again.
}

/// Staging directories of jobs that died while they wrote this output.
void RemoveLeftovers(FileSystem& files, const SplitPath& output) {
  const auto names = files.List(output.parent);
  if (!names.ok()) return;
  for (const std::string& name : *names) {
    const std::string path = output.parent + "/" + name;
    if (!name.starts_with(StagingPrefix(output.name))) continue;
    if (ReadOwnerMarker(files, path) != Ownership::kDead) continue;
    RemoveMarked(files, path);
  }
}

std::string Hex(std::uint64_t number) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(number));
  return text;
}

/// The same for equal outputs, so that two runs of a job can be compared directory by directory.
std::string ManifestText(const std::string& head, const std::vector<CommittedPart>& winners) {
  std::string manifest = "{\n  \"format\": 1,\n" + head + "  \"parts\": [";
  for (const CommittedPart& winner : winners) {
    manifest += winner.part == 0 ? "\n" : ",\n";
    manifest += "    {\"name\": \"" + PartName(winner.part) +
                "\", \"bytes\": " + std::to_string(winner.info.bytes) +
                ", \"records\": " + std::to_string(winner.info.records) + ", \"xxh3\": \"" +
                Hex(winner.info.xxh3) + "\"}";
  }
  return manifest + "\n  ]\n}\n";
}

/// Renames move a link, not what it points to.
bool IsLink(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0 && S_ISLNK(info.st_mode);
}

bool IsSafeJobId(const std::string& id) {
  return !id.empty() && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_' || c == '.';
  });
}

}  // namespace

void RemoveLeftovers(FileSystem& files, const std::string& output_dir) {
  RemoveLeftovers(files, Split(output_dir));
}

Result<StagingOptions> OutputStaging::Check(const StagingOptions& options) {
  if (!IsSafeJobId(options.job_id))
    return InvalidArgument("'" + options.job_id +
                           "' is no job id that a directory can be named by");
  const SplitPath output = Split(options.output_dir);
  StagingOptions checked = options;
  checked.output_dir = output.parent + "/" + output.name;
  return checked;
}

Result<std::unique_ptr<OutputStaging>> OutputStaging::Create(FileSystem& files,
                                                             const StagingOptions& options) {
  SPILLWAY_ASSIGN_OR_RETURN(StagingOptions checked, Check(options));
  if (IsLink(checked.output_dir))
    return AlreadyExists("the output '" + options.output_dir +
                         "' is a symbolic link, which no output replaces; name a directory");
  const Result<FileInfo> existing = files.Stat(options.output_dir);
  if (existing.ok()) {
    if (!options.overwrite)
      return AlreadyExists("the output '" + options.output_dir +
                           "' exists already; choose another --output, or pass --overwrite to "
                           "replace it when the job has succeeded");
    if (existing->kind != FileKind::kDirectory)
      return AlreadyExists("the output '" + options.output_dir +
                           "' is not a directory and will not be overwritten");
  }
  const SplitPath output = Split(options.output_dir);
  const Result<FileInfo> parent = files.Stat(output.parent);
  if (!parent.ok())
    return NotFound("the output's parent directory '" + output.parent +
                    "' does not exist; create it first (mkdir -p)");
  if (parent->kind != FileKind::kDirectory)
    return InvalidArgument("the output's parent '" + output.parent +
                           "' is not a directory; choose another --output");
  RemoveLeftovers(files, output);
  std::string staging = output.parent + "/" + StagingPrefix(output.name) + options.job_id;
  std::unique_ptr<OutputStaging> made(
      new OutputStaging(files, std::move(checked), std::move(staging)));
  SPILLWAY_RETURN_IF_ERROR(made->Prepare());
  return made;
}

Status OutputStaging::Prepare() {
  Status made = files_.MakeDirectory(staging_, 0755);
  if (made.code() == Code::kAlreadyExists && !options_.owner.empty()) {
    // An earlier Create for this job, of which nobody heard; maybe cut short before its marker.
    const auto owner = ReadOwnerText(files_, staging_);
    const auto names = files_.List(staging_);
    if ((owner.ok() && *owner == OwnerText()) || (names.ok() && names->empty())) {
      RemoveMarked(files_, staging_);
      made = files_.MakeDirectory(staging_, 0755);
    }
  }
  if (!made.ok()) committed_ = true;  // Whatever is there is not ours to remove.
  SPILLWAY_RETURN_IF_ERROR(made.Annotate("staging the output"));
  SPILLWAY_RETURN_IF_ERROR(Mark());
  SPILLWAY_RETURN_IF_ERROR(files_.MakeDirectory(staging_ + kAttempts, 0755));
  if (options_.owner.empty() || !options_.durable) return OkStatus();
  // Another process goes on here after a power cut.
  SPILLWAY_RETURN_IF_ERROR(files_.SyncDirectory(staging_));
  return files_.SyncDirectory(Split(staging_).parent);
}

Status OutputStaging::Mark() {
  return options_.owner.empty() ? WriteOwnerMarker(files_, staging_)
                                : WriteOwnerText(files_, staging_, OwnerText(), options_.durable);
}

std::string OutputStaging::OwnerText() const { return options_.owner + " " + options_.job_id; }

Result<std::unique_ptr<OutputStaging>> OutputStaging::Adopt(FileSystem& files,
                                                            const StagingOptions& options,
                                                            const std::string& staging_dir) {
  SPILLWAY_ASSIGN_OR_RETURN(StagingOptions checked, Check(options));
  const SplitPath staging = Split(staging_dir);
  const SplitPath output = Split(checked.output_dir);
  if (staging.name != StagingPrefix(output.name) + options.job_id)
    return DataLoss("'" + staging_dir + "' is not where job " + options.job_id +
                    " stages its output '" + options.output_dir + "'");
  std::unique_ptr<OutputStaging> taken(new OutputStaging(files, std::move(checked), staging_dir));
  if (taken->IsPublished()) {
    taken->committed_ = true;
    return taken;
  }
  const auto owner = ReadOwnerText(files, staging_dir);
  if (!owner.ok() || *owner != taken->OwnerText()) {
    taken->committed_ = true;  // Not ours to remove.
    taken->gone_ =
        DataLoss("the staging directory '" + staging_dir + "' of job " + options.job_id + " is " +
                 (owner.ok() ? "somebody else's" : "gone") + ", and what was written to it");
    // Or all was done, the last step included: CommitJob will know the output by its manifest.
    if (!files.Stat(taken->ManifestPath()).ok()) return taken->gone_;
    return taken;
  }
  const Status made = files.MakeDirectory(staging_dir + kAttempts, 0755);
  if (!made.ok() && made.code() != Code::kAlreadyExists) return made;
  return taken;
}

OutputStaging::OutputStaging(FileSystem& files, StagingOptions options, std::string staging)
    : files_(files), options_(std::move(options)), staging_(std::move(staging)) {}

OutputStaging::~OutputStaging() {
  if (options_.owner.empty()) Discard();
}

void OutputStaging::Discard() {
  if (!committed_) RemoveMarked(files_, staging_);
  committed_ = true;  // Nothing is left to do.
}

std::string OutputStaging::ManifestPath() const { return options_.output_dir + "/" + kManifest; }

/// Published, and not cleaned up yet: the marker moved with the directory.
bool OutputStaging::IsPublished() {
  const auto owner = ReadOwnerText(files_, options_.output_dir);
  return !options_.owner.empty() && owner.ok() && *owner == OwnerText();
}

bool OutputStaging::HasManifest(const std::string& text) {
  const auto file = files_.Open(ManifestPath());
  if (!file.ok()) return false;
  std::string found(text.size() + 1, '\0');
  const auto bytes = (*file)->ReadAt(0, found.size(), found.data());
  return bytes.ok() && *bytes == text.size() && found.substr(0, text.size()) == text;
}

Status OutputStaging::MoveWinner(const CommittedPart& winner) {
  const std::string from = PartAttemptPath(staging_, winner.part, winner.attempt);
  const std::string to = staging_ + "/" + PartName(winner.part);
  // When the part is there already, an earlier CommitJob has moved it: a part has one winner.
  Result<FileInfo> found = files_.Stat(to);
  if (found.status().code() == Code::kNotFound) {
    SPILLWAY_RETURN_IF_ERROR(files_.RenameNoReplace(from, to).Annotate("publishing the output"));
    found = files_.Stat(to);
  }
  SPILLWAY_RETURN_IF_ERROR(found.status());
  if (found->bytes == winner.info.bytes) return OkStatus();
  return DataLoss("'" + to + "' has " + std::to_string(found->bytes) + " bytes, but attempt " +
                  std::to_string(winner.attempt) + " had written " +
                  std::to_string(winner.info.bytes) + "; run the job again");
}

Status OutputStaging::RemoveLitter(const std::vector<CommittedPart>& winners) {
  std::set<std::string> kept = {kOwnerMarkerName};
  for (const CommittedPart& winner : winners) kept.insert(PartName(winner.part));
  SPILLWAY_ASSIGN_OR_RETURN(const auto names, files_.List(staging_));
  for (const std::string& name : names)
    if (!kept.contains(name)) SPILLWAY_RETURN_IF_ERROR(files_.RemoveTree(staging_ + "/" + name));
  return OkStatus();
}

Status OutputStaging::WriteFile(const std::string& name, const std::string& text) {
  SPILLWAY_ASSIGN_OR_RETURN(const auto file, files_.Create(staging_ + "/" + name));
  SPILLWAY_RETURN_IF_ERROR(file->Append(text));
  if (options_.durable) SPILLWAY_RETURN_IF_ERROR(file->Sync());
  return file->Close();
}

Status OutputStaging::CommitJob(const std::string& manifest_head,
                                std::span<const CommittedPart> winners) {
  if (done_) return OkStatus();
  if (!IsPublished()) {
    std::vector<CommittedPart> sorted(winners.begin(), winners.end());
    std::sort(sorted.begin(), sorted.end(),
              [](const auto& a, const auto& b) { return a.part < b.part; });
    for (std::uint32_t part = 0; part < options_.parts; ++part)
      if (part >= sorted.size() || sorted[part].part != part)
        return InternalError(PartName(part) + " was never committed, or twice");
    if (sorted.size() != options_.parts)
      return InternalError("the job has only " + std::to_string(options_.parts) + " parts");
    const std::string manifest = ManifestText(manifest_head, sorted);
    if (!gone_.ok()) return HasManifest(manifest) ? OkStatus() : gone_;
    for (const CommittedPart& winner : sorted) SPILLWAY_RETURN_IF_ERROR(MoveWinner(winner));
    SPILLWAY_RETURN_IF_ERROR(RemoveLitter(sorted));
    SPILLWAY_RETURN_IF_ERROR(WriteFile(kManifest, manifest));
    SPILLWAY_RETURN_IF_ERROR(WriteFile("_SUCCESS", ""));
    if (options_.durable) SPILLWAY_RETURN_IF_ERROR(files_.SyncDirectory(staging_));
    SPILLWAY_RETURN_IF_ERROR(Publish());
  }
  committed_ = true;
  if (options_.durable)
    SPILLWAY_RETURN_IF_ERROR(files_.SyncDirectory(Split(options_.output_dir).parent));
  CleanUp();
  done_ = true;
  return OkStatus();
}

Status OutputStaging::Publish() {
  if (options_.overwrite && files_.Stat(options_.output_dir).ok()) {
    SPILLWAY_RETURN_IF_ERROR(files_.Exchange(staging_, options_.output_dir));
    // What was replaced is now in the staging place, and ours to remove even after a crash.
    const Status marked = Mark();
    static_cast<void>(marked.ok());
    return OkStatus();
  }
  const Status renamed = files_.RenameNoReplace(staging_, options_.output_dir);
  if (renamed.code() == Code::kAlreadyExists)
    return AlreadyExists("the output '" + options_.output_dir +
                         "' came into being while the job ran; nothing was replaced");
  return renamed;
}

/// The output is visible: this fails no job. What has the staging directory's name now is the
/// directory that the output has replaced.
void OutputStaging::CleanUp() {
  if (files_.List(staging_).ok()) RemoveMarked(files_, staging_);
  const Status unmarked = files_.Remove(options_.output_dir + "/" + kOwnerMarkerName);
  static_cast<void>(unmarked.ok());
}

}  // namespace spillway
