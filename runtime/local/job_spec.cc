#include "runtime/local/job_spec.h"

#include <pwd.h>
#include <unistd.h>

#include <array>
#include <boost/filesystem.hpp>
#include <utility>

#include "runtime/storage/content_hash.h"
#include "runtime/task/loop_object.h"

namespace spillway {

namespace {

/// Absolute, without "." elements. ".." stays: behind a link it is not what the text says.
std::string AbsolutePath(const std::string& path) {
  namespace fs = boost::filesystem;
  fs::path whole;
  for (const fs::path& element : fs::absolute(path))
    if (element != ".") whole /= element;
  return whole.string();
}

std::string UserName() {
  std::array<char, 4'096> buffer;
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found) == 0 &&
      found != nullptr)
    return found->pw_name;
  return std::to_string(::geteuid());
}

Status Pin(const std::string& path, const SubmissionOptions& options, wire::PinnedFile* pinned) {
  pinned->set_path(AbsolutePath(path));
  if (options.in_this_process) {
    pinned->set_sha256(std::string(kSha256Bytes, '\0'));
    return OkStatus();
  }
  SPILLWAY_ASSIGN_OR_RETURN(std::string hash, FileSha256(pinned->path()));
  pinned->set_sha256(std::move(hash));
  boost::system::error_code error;
  pinned->set_bytes(boost::filesystem::file_size(pinned->path(), error));
  return OkStatus();
}

void AddInputs(const PreparedJob& job, const InputPlaces& places, wire::JobSpec* spec) {
  for (const FoundFile& found : job.inputs) {
    wire::InputFile* file = spec->add_inputs();
    file->set_path(AbsolutePath(found.path));
    if (file->path() != found.path) file->set_name(found.path);
    file->set_bytes(found.info.bytes);
    file->set_inode(found.info.inode);
    file->set_mtime_ns(found.info.mtime_ns);
    file->set_input(found.input);
  }
  for (const MapInput& input : job.maps) {
    wire::MapInput* map = spec->add_maps();
    map->set_bytes(input.bytes);
    PlaceTally held;
    for (const FileRange& part : input.ranges) {
      wire::FileRange* range = map->add_ranges();
      range->set_file_index(part.file_index);
      range->set_offset(part.offset);
      range->set_bytes(part.bytes);
      const std::string& path = spec->inputs(static_cast<int>(part.file_index)).path();
      if (!places.empty()) held.Add(places.HostsOf(path), part.bytes);
    }
    for (std::string& host : held.Best()) map->add_places(std::move(host));
  }
}

void SetLimits(const JobRequest& request, const SubmissionOptions& options,
               wire::JobLimits* limits) {
  limits->set_attempts_max(request.attempts_max);
  limits->set_skip_bad_max(request.skip_bad_max);
  limits->set_task_timeout_ms(request.task_timeout_ms);
  limits->set_split_partition_bytes(request.split_partition_bytes);
  limits->set_weight(options.weight);
  limits->set_allow_nondeterminism(options.allow_nondeterminism);
  limits->set_speculate(options.speculate);
}

/// Whether combining parts of a group first, how many depending on the slots, leaves the output's
/// bytes as they are. A combiner may round, and then only its author knows.
bool IsAssociative(const spillway_job& job) {
  return job.fold_kind != SPILLWAY_FOLD_NONE ||
         (job.combiner_run != nullptr && job.combiner_exact != 0);
}

}  // namespace

Result<wire::JobSpec> MakeJobSpec(const PreparedJob& job, std::vector<std::string> range_cuts,
                                  const SubmissionOptions& options) {
  const JobRequest& request = job.request;
  if (request.linked_plugin != nullptr && !options.in_this_process)
    return InvalidArgument(
        "a plugin that is linked into this program cannot run on a cluster; build it as a .so "
        "file");
  wire::JobSpec spec;
  spec.set_name(job.plan.job_name);
  spec.set_submission_key(options.key);
  spec.set_user(UserName());
  SPILLWAY_RETURN_IF_ERROR(Pin(request.plugin_path, options, spec.mutable_plugin()));
  for (const std::string& argument : request.args) spec.add_args(argument);
  for (const auto& [name, path] : request.side_files) {
    wire::PinnedFile* file = spec.add_side_files();
    file->set_name(name);
    SPILLWAY_RETURN_IF_ERROR(Pin(path, options, file));
  }
  AddInputs(job, options.places, &spec);
  spec.set_parts(job.parts);
  spec.set_map_only(job.map_only());
  for (std::string& cut : range_cuts) spec.add_range_cuts(std::move(cut));
  spec.set_compression(static_cast<std::uint32_t>(request.compression));
  spec.set_output_dir(AbsolutePath(request.output_dir));
  spec.set_overwrite(request.overwrite != Overwrite::kNothing);
  spec.set_overwrite_directories(request.overwrite == Overwrite::kDirectories);
  spec.set_writes_directories(job.plugin->abi().writes_directories != 0);
  spec.set_associative(IsAssociative(job.plugin->abi()));
  spec.set_splits_archives(job.plan.archives_split > 0);
  spec.set_durable(request.durable);
  SetLimits(request, options, spec.mutable_limits());
  spec.set_map_bytes_max(job.map_bytes_max);
  spec.set_input_bytes(job.plan.input_bytes);
  spec.set_decoder_bytes(job.decoder_bytes);
  if (job.in_seats()) {
    spec.mutable_loop()->set_parts(job.loop_parts);
    spec.mutable_loop()->set_rounds_max(job.loop_rounds_max());
    spec.mutable_loop()->set_checkpoint_every(request.loop.checkpoint_every);
    spec.mutable_loop()->set_state_bytes(request.loop.state_bytes);
    spec.mutable_loop()->set_rounds_stand_alone(
        HasTrait(*job.plugin->abi().loop, SPILLWAY_LOOP_ROUNDS_STAND_ALONE));
    spec.mutable_limits()->set_speculate(false);  // A backup would have to read its parts anew.
  }
  spec.set_stage(request.stage);
  return spec;
}

JobRequest RequestOf(const wire::JobSpec& spec) {
  JobRequest request;
  request.plugin_path = spec.plugin().path();
  request.args.assign(spec.args().begin(), spec.args().end());
  for (const wire::InputFile& file : spec.inputs()) request.inputs.push_back(file.path());
  request.output_dir = spec.output_dir();
  if (spec.overwrite())
    request.overwrite = spec.overwrite_directories() ? Overwrite::kDirectories : Overwrite::kWhole;
  request.durable = spec.durable();
  request.reducers = spec.map_only() ? 0 : spec.parts();
  request.compression = static_cast<Compression>(spec.compression());
  request.attempts_max = spec.limits().attempts_max();
  request.stage = spec.stage();
  request.skip_bad_max = spec.limits().skip_bad_max();
  request.task_timeout_ms = spec.limits().task_timeout_ms();
  request.split_partition_bytes = spec.limits().split_partition_bytes();
  for (const wire::PinnedFile& file : spec.side_files())
    request.side_files[file.name()] = file.path();
  return request;
}

std::vector<FoundFile> InputsOf(const wire::JobSpec& spec) {
  std::vector<FoundFile> inputs;
  for (const wire::InputFile& file : spec.inputs()) {
    FoundFile& found = inputs.emplace_back();
    found.path = file.path();
    found.info.bytes = file.bytes();
    found.info.inode = file.inode();
    found.info.mtime_ns = file.mtime_ns();
    found.input = file.input();
  }
  return inputs;
}

std::vector<MapInput> MapsOf(const wire::JobSpec& spec) {
  std::vector<MapInput> maps;
  for (const wire::MapInput& map : spec.maps()) {
    MapInput& input = maps.emplace_back();
    input.bytes = map.bytes();
    for (const wire::FileRange& range : map.ranges())
      input.ranges.push_back({range.file_index(), range.offset(), range.bytes()});
  }
  return maps;
}

}  // namespace spillway
