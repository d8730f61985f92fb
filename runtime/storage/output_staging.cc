#include "runtime/storage/output_staging.h"

#include <algorithm>
#include <map>

#include "runtime/storage/owner_marker.h"
#include "shuffle/store/kill_point.h"

namespace spillway {

namespace {

constexpr const char* kAttempts = "/attempts";
/// In an output that is replacing another one: the name that the other one then has.
constexpr const char* kReplaced = "_SPILLWAY_REPLACED";

constexpr std::size_t kNameBytesMax = 255;

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
/// can be told, and finished, by the next job. Last with it goes the list without which old
/// directories would be taken for new ones.
void RemoveMarked(FileSystem& files, const std::string& directory) {
  Status removed;
  if (const auto names = files.List(directory); names.ok()) {
    for (const std::string& name : *names)
      if (name != kOwnerMarkerName && name != DirectoryExchange::kListName && removed.ok())
        removed = files.RemoveTree(directory + "/" + name);
  }
  KillPoint("staging-emptied");
  if (removed.ok()) removed = files.RemoveTree(directory);
  static_cast<void>(removed.ok());  // The next job for this output tries again.
}

/// What the output has replaced, when its job died before it had removed that: only the output
/// tells, since the other one carries no marker.
void RemoveReplaced(FileSystem& files, const SplitPath& output) {
  const std::string path = output.parent + "/" + output.name;
  if (ReadOwnerMarker(files, path) != Ownership::kDead) return;
  const auto file = files.Open(path + "/" + kReplaced);
  if (!file.ok()) return;
  std::string name(kNameBytesMax, '\0');
  const auto bytes = (*file)->ReadAt(0, name.size(), name.data());
  if (!bytes.ok()) return;
  name.resize(*bytes);
  if (name.starts_with(StagingPrefix(output.name)) && name.find('/') == std::string::npos)
    RemoveMarked(files, output.parent + "/" + name);
}

/// Staging directories of jobs that died while they wrote this output.
void RemoveLeftovers(FileSystem& files, const SplitPath& output) {
  RemoveReplaced(files, output);
  const auto names = files.List(output.parent);
  if (!names.ok()) return;
  for (const std::string& name : *names) {
    const std::string path = output.parent + "/" + name;
    if (!name.starts_with(StagingPrefix(output.name))) continue;
    if (ReadOwnerMarker(files, path) != Ownership::kDead) continue;
    const std::string job_id = name.substr(StagingPrefix(output.name).size());
    DirectoryExchange(files, {path, output.parent + "/" + output.name, job_id})
        .RemoveMarks(DirectoryExchange::ReadList(files, path));
    RemoveMarked(files, path);
  }
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
  SPILLWAY_RETURN_IF_ERROR(CheckOutputPlace(files, options.output_dir, options.overwrite));
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
    // An earlier Create for this job, of which nobody heard; maybe cut short before its marker, or
    // in the middle of it.
    const auto owner = ReadOwnerText(files_, staging_);
    const auto names = files_.List(staging_);
    const bool torn =
        owner.ok() && names.ok() && names->size() == 1 && OwnerText().starts_with(*owner);
    if ((owner.ok() && *owner == OwnerText()) || torn || (names.ok() && names->empty())) {
      RemoveMarked(files_, staging_);
      made = files_.MakeDirectory(staging_, 0755);
    }
  }
  if (!made.ok()) committed_ = true;  // Whatever is there is not ours to remove.
  SPILLWAY_RETURN_IF_ERROR(made.Annotate("staging the output"));
  KillPoint("staging-made");
  SPILLWAY_RETURN_IF_ERROR(Mark());
  KillPoint("staging-marked");
  SPILLWAY_RETURN_IF_ERROR(files_.MakeDirectory(staging_ + kAttempts, 0755));
  KillPoint("staging-ready");
  if (options_.owner.empty() || !options_.durable) return OkStatus();
  // Another process goes on here after a power cut.
  SPILLWAY_RETURN_IF_ERROR(files_.SyncDirectory(staging_));
  SPILLWAY_RETURN_IF_ERROR(files_.SyncDirectory(Split(staging_).parent));
  KillPoint("staging-synced");
  return OkStatus();
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
  if (!committed_) {
    Exchange().RemoveMarks(DirectoryExchange::ReadList(files_, staging_));
    RemoveMarked(files_, staging_);
  }
  committed_ = true;  // Nothing is left to do.
}

std::string OutputStaging::ManifestPath() const {
  return options_.output_dir + "/" + kManifestName;
}

/// Published, and not cleaned up yet: the marker moved with the directory.
bool OutputStaging::IsPublished() {
  const auto owner = ReadOwnerText(files_, options_.output_dir);
  return !options_.owner.empty() && owner.ok() && *owner == OwnerText();
}

/// The output is the one that was to be published: every manifest has the hashes of its files.
bool OutputStaging::HasManifests(const OutputTree& tree, const std::string& manifest_head) {
  for (const auto& [directory, unused] : tree.directories()) {
    const std::string place = directory.empty() ? "" : "/" + directory;
    const auto file = files_.Open(options_.output_dir + place + "/" + kManifestName);
    if (!file.ok()) return false;
    const std::string text = tree.ManifestOf(directory, manifest_head);
    std::string found(text.size() + 1, '\0');
    const auto bytes = (*file)->ReadAt(0, found.size(), found.data());
    if (!bytes.ok() || *bytes != text.size() || found.substr(0, text.size()) != text) return false;
  }
  return true;
}

Status OutputStaging::MoveFile(const std::string& directory, const OutputFile& file) {
  const std::string to = InStaging(directory) + "/" + file.name;
  // When the part is there already, an earlier CommitJob has moved it: a part has one winner.
  Result<FileInfo> found = files_.Stat(to);
  if (found.status().code() == Code::kNotFound) {
    SPILLWAY_RETURN_IF_ERROR(files_.RenameNoReplace(staging_ + "/" + file.attempt, to)
                                 .Annotate("publishing the output"));
    KillPoint("output-part-moved");
    found = files_.Stat(to);
  }
  SPILLWAY_RETURN_IF_ERROR(found.status());
  if (found->bytes == file.bytes) return OkStatus();
  return DataLoss("'" + to + "' has " + std::to_string(found->bytes) + " bytes, but '" +
                  file.attempt + "' had been written with " + std::to_string(file.bytes) +
                  "; run the job again");
}

std::string OutputStaging::InStaging(const std::string& directory) const {
  return directory.empty() ? staging_ : staging_ + "/" + directory;
}

/// Whatever an earlier CommitJob or a lost attempt left beside what the directory is to hold.
Status OutputStaging::RemoveLitter(const std::string& directory, std::set<std::string> kept) {
  if (directory.empty()) kept.insert(kOwnerMarkerName);
  SPILLWAY_ASSIGN_OR_RETURN(const auto names, files_.List(InStaging(directory)));
  for (const std::string& name : names)
    if (!kept.contains(name))
      SPILLWAY_RETURN_IF_ERROR(files_.RemoveTree(InStaging(directory) + "/" + name));
  KillPoint("output-cleared");
  return OkStatus();
}

/// Makes the staging directory what the output is to be, and all of it durable.
Status OutputStaging::Assemble(const OutputTree& tree, const std::string& manifest_head) {
  std::map<std::string, std::set<std::string>> kept;  // Names, by directory.
  const auto enter = [&](const std::string& directory) -> Status {
    kept[directory];
    if (directory.empty()) return OkStatus();
    const SplitPath split = Split(directory);
    kept[split.parent == "." ? "" : split.parent].insert(split.name);
    const Status made = files_.MakeDirectory(InStaging(directory), 0755);
    return made.code() == Code::kAlreadyExists ? OkStatus() : made;
  };
  for (const std::string& level : tree.LevelsBetween()) SPILLWAY_RETURN_IF_ERROR(enter(level));
  for (const auto& [directory, files] : tree.directories())
    SPILLWAY_RETURN_IF_ERROR(enter(directory));
  // A file that is moved to a directory whose own name gets lost is lost with it.
  for (const auto& [directory, names] : kept)
    if (options_.durable && !names.empty())
      SPILLWAY_RETURN_IF_ERROR(files_.SyncDirectory(InStaging(directory)));
  for (const auto& [directory, files] : tree.directories()) {
    for (const OutputFile& file : files) {
      SPILLWAY_RETURN_IF_ERROR(MoveFile(directory, file));
      kept[directory].insert(file.name);
    }
  }
  for (auto& [directory, names] : kept)
    SPILLWAY_RETURN_IF_ERROR(RemoveLitter(directory, std::move(names)));
  for (const auto& [directory, files] : tree.directories()) {
    const std::string manifest = tree.ManifestOf(directory, manifest_head);
    SPILLWAY_RETURN_IF_ERROR(WriteFile(InStaging(directory) + "/" + kManifestName, manifest));
  }
  SPILLWAY_RETURN_IF_ERROR(WriteFile(staging_ + "/" + kSuccessName, ""));
  if (!options_.durable) return OkStatus();
  for (auto directory = kept.rbegin(); directory != kept.rend(); ++directory)
    SPILLWAY_RETURN_IF_ERROR(files_.SyncDirectory(InStaging(directory->first)));
  return OkStatus();
}

Status OutputStaging::WriteFile(const std::string& path, const std::string& text) {
  SPILLWAY_ASSIGN_OR_RETURN(const auto file, files_.Create(path));
  KillPoint("output-file-created");
  SPILLWAY_RETURN_IF_ERROR(file->Append(text));
  KillPoint("output-file-written");
  if (options_.durable) SPILLWAY_RETURN_IF_ERROR(file->Sync());
  KillPoint("output-file-synced");
  return file->Close();
}

Status OutputStaging::CommitJob(const std::string& manifest_head,
                                std::span<const CommittedPart> winners) {
  if (done_) return OkStatus();
  if (!IsPublished()) {
    SPILLWAY_ASSIGN_OR_RETURN(const OutputTree tree,
                              OutputTree::Of(winners, options_.parts, options_.has_parts));
    if (!gone_.ok()) return HasManifests(tree, manifest_head) ? OkStatus() : gone_;
    if (options_.overwrite == Overwrite::kDirectories) {
      SPILLWAY_RETURN_IF_ERROR(PublishDirectories(tree, manifest_head));
    } else {
      SPILLWAY_RETURN_IF_ERROR(Assemble(tree, manifest_head));
      KillPoint("output-whole");
      SPILLWAY_RETURN_IF_ERROR(Publish());
    }
    KillPoint("output-published");
  }
  committed_ = true;
  if (options_.durable)
    SPILLWAY_RETURN_IF_ERROR(files_.SyncDirectory(Split(options_.output_dir).parent));
  KillPoint("output-synced");
  CleanUp();
  KillPoint("output-cleaned");
  done_ = true;
  return OkStatus();
}

DirectoryExchange OutputStaging::Exchange() const {
  return {files_, {staging_, options_.output_dir, options_.job_id, options_.durable}};
}

/// Into an output that is there; one that is not appears as a whole.
Status OutputStaging::PublishDirectories(const OutputTree& tree, const std::string& manifest_head) {
  DirectoryExchange exchange = Exchange();
  if (!exchange.begun()) {
    const Status assembled = Assemble(tree, manifest_head);
    // An earlier CommitJob was cut short when it had removed what it needed no more.
    if (assembled.code() == Code::kNotFound && HasManifests(tree, manifest_head)) return OkStatus();
    SPILLWAY_RETURN_IF_ERROR(assembled);
    if (!files_.Stat(options_.output_dir).ok()) return Publish();
    SPILLWAY_RETURN_IF_ERROR(exchange.Begin(tree));
  }
  marked_ = DirectoryExchange::ReadList(files_, staging_);
  return exchange.Run(tree, tree.ManifestOf("", manifest_head));
}

Status OutputStaging::Publish() {
  if (options_.overwrite == Overwrite::kWhole && files_.Stat(options_.output_dir).ok()) {
    // What is there now may be another directory than when the job began.
    SPILLWAY_RETURN_IF_ERROR(CheckOutputPlace(files_, options_.output_dir, options_.overwrite));
    // A job with an owner is taken up again, and knows what is its own.
    if (options_.owner.empty())
      SPILLWAY_RETURN_IF_ERROR(WriteFile(staging_ + "/" + kReplaced, Split(staging_).name));
    SPILLWAY_RETURN_IF_ERROR(files_.Exchange(staging_, options_.output_dir));
    KillPoint("output-exchanged");
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
  Exchange().RemoveMarks(marked_);
  if (files_.List(staging_).ok()) RemoveMarked(files_, staging_);
  KillPoint("output-old-removed");
  for (const char* name : {kReplaced, kOwnerMarkerName}) {
    const Status removed = files_.Remove(options_.output_dir + "/" + name);
    static_cast<void>(removed.ok());
  }
}

}  // namespace spillway
