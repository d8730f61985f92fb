#include "runtime/coordinator/job_entry.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <span>
#include <utility>

#include "mapreduce/base/units.h"
#include "runtime/protocol/wire_values.h"

namespace spillway {

namespace {

constexpr std::uint32_t kMapsMax = 4'000'000;
constexpr std::uint32_t kPartsMax = 65'536;
constexpr std::uint32_t kLoopPartsMax = 1'000'000;
constexpr std::size_t kNameBytesMax = 256;
constexpr int kPlacesMax = 16;
constexpr std::size_t kPathBytesMax = 4'096;
constexpr std::size_t kHashBytes = 32;
constexpr std::uint64_t kMessageBytesMax = 768 << 10;
/// Twice the largest window of zstd, whose decoder takes the most.
constexpr std::uint64_t kDecoderBytesMax = 4 * kGiB;
constexpr std::uint64_t kTimeoutGraceMs = 10'000;
/// What is told of a job must fit into a frame.
constexpr std::size_t kWarningBytesMax = 2'000;
constexpr std::uint64_t kCountersToldBytesMax = 256 << 10;

bool IsAbsolute(const std::string& path) {
  return !path.empty() && path[0] == '/' && path.size() <= kPathBytesMax &&
         path.find('\0') == std::string::npos;
}

Status CheckFiles(const wire::JobSpec& spec) {
  if (!IsAbsolute(spec.plugin().path()) || spec.plugin().sha256().size() != kHashBytes)
    return InvalidArgument("a job without its plugin's path and SHA-256");
  for (const wire::PinnedFile& file : spec.side_files())
    if (!IsAbsolute(file.path()) || file.sha256().size() != kHashBytes || file.name().empty())
      return InvalidArgument("side file '" + EscapeForLog(file.name()) +
                             "' without path, name or SHA-256");
  for (const wire::InputFile& file : spec.inputs())
    if (!IsAbsolute(file.path()))
      return InvalidArgument("input '" + EscapeForLog(file.path()) + "' is no absolute path");
  if (!IsAbsolute(spec.output_dir()))
    return InvalidArgument("output '" + EscapeForLog(spec.output_dir()) + "' is no absolute path");
  return OkStatus();
}

Status CheckPlan(const wire::JobSpec& spec) {
  if (static_cast<std::uint32_t>(spec.maps_size()) > kMapsMax ||
      (!spec.map_only() && spec.parts() > kPartsMax))
    return InvalidArgument("more than " + std::to_string(kMapsMax) + " map tasks or " +
                           std::to_string(kPartsMax) + " reduce tasks on a cluster");
  if (spec.map_only() ? spec.parts() != static_cast<std::uint32_t>(spec.maps_size())
                      : spec.parts() == 0)
    return InvalidArgument("a job of " + std::to_string(spec.maps_size()) + " maps with " +
                           std::to_string(spec.parts()) + " parts");
  if (spec.has_loop() &&
      (!spec.map_only() || spec.parts() == 0 || spec.loop().parts() > kLoopPartsMax))
    return InvalidArgument("a loop without seats, or with reduce tasks, or more than " +
                           std::to_string(kLoopPartsMax) + " parts");
  for (const wire::MapInput& map : spec.maps())
    for (const wire::FileRange& range : map.ranges())
      if (range.file_index() >= static_cast<std::uint32_t>(spec.inputs_size()))
        return InvalidArgument("a map input that lies in no input file");
  if (spec.decoder_bytes() > kDecoderBytesMax)
    return InvalidArgument("decoding the input takes " + FormatBytes(spec.decoder_bytes()) +
                           " for each task, more than " + FormatBytes(kDecoderBytesMax) +
                           ", which no decoder takes");
  if (spec.range_cuts_size() > 0 &&
      static_cast<std::uint32_t>(spec.range_cuts_size()) >= std::max(1u, spec.parts()))
    return InvalidArgument("more range cuts than partitions");
  return OkStatus();
}

Status CheckPlaces(const wire::JobSpec& spec) {
  for (const wire::MapInput& map : spec.maps()) {
    bool fits = map.places_size() <= kPlacesMax;
    for (const std::string& place : map.places()) fits = fits && place.size() <= kNameBytesMax;
    if (!fits)
      return InvalidArgument("a map input with more than " + std::to_string(kPlacesMax) +
                             " places, or one whose name is longer than " +
                             std::to_string(kNameBytesMax) + " bytes");
  }
  return OkStatus();
}

/// What a worker is told of the job and of a task must fit into a frame.
Status CheckMessages(const wire::JobSpec& spec) {
  std::uint64_t shared_bytes = spec.plugin().ByteSizeLong();
  for (const std::string& cut : spec.range_cuts()) shared_bytes += cut.size() + 8;
  for (const std::string& arg : spec.args()) shared_bytes += arg.size() + 8;
  for (const wire::PinnedFile& file : spec.side_files()) shared_bytes += file.ByteSizeLong();
  if (shared_bytes > kMessageBytesMax)
    return InvalidArgument(
        "arguments, side files and range cuts of the job take " + FormatBytes(shared_bytes) +
        ", more than " + FormatBytes(kMessageBytesMax) + ": use fewer partitions, or a side file");
  for (const wire::MapInput& map : spec.maps()) {
    std::uint64_t bytes = 0;
    for (const wire::FileRange& range : map.ranges()) {
      const wire::InputFile& file = spec.inputs(static_cast<int>(range.file_index()));
      bytes += file.ByteSizeLong() + 40;
    }
    if (bytes > kMessageBytesMax)
      return InvalidArgument("a map task of " + std::to_string(map.ranges_size()) +
                             " files, whose names take " + FormatBytes(bytes) +
                             ": choose a smaller --split-size");
  }
  return OkStatus();
}

}  // namespace

Status CheckJobSpec(const wire::JobSpec& spec) {
  if (spec.name().empty() || spec.name().size() > kNameBytesMax ||
      spec.submission_key().size() > kNameBytesMax || spec.user().size() > kNameBytesMax)
    return InvalidArgument("a job's name, user and submission key have at most " +
                           std::to_string(kNameBytesMax) + " bytes, and a name at least one");
  if (EscapeForLog(spec.name(), kNameBytesMax) != spec.name() ||
      spec.name().find('"') != std::string::npos)
    return InvalidArgument("a job's name has no quotes or control characters");
  SPILLWAY_RETURN_IF_ERROR(CheckFiles(spec));
  SPILLWAY_RETURN_IF_ERROR(CheckPlan(spec));
  SPILLWAY_RETURN_IF_ERROR(CheckPlaces(spec));
  return CheckMessages(spec);
}

JobInputs::JobInputs(const wire::JobSpec& spec)
    : files_(spec.inputs().begin(), spec.inputs().end()) {
  begins_.reserve(static_cast<std::size_t>(spec.maps_size()) + 1);
  for (const wire::MapInput& map : spec.maps()) {
    for (const wire::FileRange& range : map.ranges())
      ranges_.push_back({range.offset(), range.bytes(), range.file_index()});
    begins_.push_back(static_cast<std::uint32_t>(ranges_.size()));
  }
}

void JobInputs::Fill(std::uint32_t map, wire::StartMap& start) const {
  for (std::uint32_t i = begins_[map]; i < begins_[map + 1]; ++i) {
    *start.add_files() = files_[ranges_[i].file];
    wire::FileRange& range = *start.add_ranges();
    range.set_file_index(ranges_[i].file);
    range.set_offset(ranges_[i].offset);
    range.set_bytes(ranges_[i].bytes);
  }
}

std::uint64_t JobInputs::bytes(std::uint32_t map) const {
  std::uint64_t bytes = 0;
  for (std::uint32_t i = begins_[map]; i < begins_[map + 1]; ++i) bytes += ranges_[i].bytes;
  return bytes;
}

wire::InputNames JobInputs::Names() const {
  wire::InputNames names;
  for (const wire::InputFile& file : files_)
    names.add_names(file.name().empty() ? file.path() : file.name());
  return names;
}

PartInfo PartInfoOf(const wire::PartInfo& part) {
  PartInfo info{part.bytes(), part.records(), part.xxh3()};
  for (const wire::DirectoryPart& directory : part.directories())
    info.directories.push_back(
        {directory.directory(), directory.bytes(), directory.records(), directory.xxh3()});
  return info;
}

JobEntry NewJobEntry(JobId number, std::string job_id, wire::JobSpec spec) {
  JobEntry job;
  job.number = number;
  job.job_id = std::move(job_id);
  job.inputs = JobInputs(spec);
  const bool placed = std::any_of(spec.maps().begin(), spec.maps().end(),
                                  [](const wire::MapInput& map) { return map.places_size() > 0; });
  if (placed)
    for (const wire::MapInput& map : spec.maps())
      job.places.emplace_back(map.places().begin(), map.places().end());
  job.counted_maps.resize(job.inputs.maps());
  job.parts.resize(spec.parts());
  spec.clear_inputs();
  spec.clear_maps();
  job.spec = std::move(spec);
  job.loads = PartitionLoads(job.reduces());
  return job;
}

std::string MakeJobId(JobId number, std::uint64_t unix_ms) {
  const std::time_t seconds = static_cast<std::time_t>(unix_ms / 1'000);
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  char text[48];
  const std::size_t bytes = std::strftime(text, sizeof text, "%Y%m%d-%H%M%S-", &utc);
  std::snprintf(text + bytes, sizeof text - bytes, "%04llu",
                static_cast<unsigned long long>(number));
  return text;
}

std::uint64_t SegmentJobOf(const std::string& job_id) {
  std::uint64_t hash = 0xcbf2'9ce4'8422'2325u;
  for (const char c : job_id) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100'0000'01b3u;
  return hash;
}

bool JobEntry::TakesPlan(const ReducePlan& made) const {
  return plan.empty() && ReduceLayout::Fits(made, inputs.maps(), reduces());
}

void JobEntry::Apply(const ReducePlan& made) {
  if (made.empty()) {
    // What was committed before was split; of the rest there is nothing to tell.
    std::erase_if(plan.splits, [this](const SplitPartition& split) {
      return parts[split.partition].epoch == 0;
    });
    counted_combines.assign(std::count(counted_combines.begin(), counted_combines.end(), true),
                            true);
    return;
  }
  plan = made;
  std::size_t combines = 0;
  for (const SplitPartition& split : plan.splits) combines += split.pieces;
  counted_combines.resize(combines);
}

void JobEntry::CountCombine(const wire::MapDone& done) {
  const std::uint32_t combine = done.attempt().task();
  if (combine >= counted_combines.size() || counted_combines[combine]) return;
  counted_combines[combine] = true;
  Add(stats, done.stats());
}

void JobEntry::Warn(TimeMs now, std::string text) {
  Log(now, "warning: " + text);
  if (warnings.size() < kWarningsMax) {
    warnings.push_back(std::move(text));
  } else {
    ++warnings_dropped;
  }
}

void JobEntry::CountPlace(std::uint32_t map, const wire::Register& worker) {
  if (map >= places.size() || places[map].empty()) return;
  ++maps_placed;
  const auto is_there = [&](const std::string& place) {
    return place == worker.host() || place == worker.rack();
  };
  if (std::any_of(places[map].begin(), places[map].end(), is_there)) ++maps_at_place;
}

SubmitJob JobEntry::ForScheduler() const {
  SubmitJob submit;
  submit.job = number;
  submit.maps.resize(inputs.maps());
  for (std::uint32_t map = 0; map < inputs.maps(); ++map) {
    submit.maps[map].bytes = inputs.bytes(map);
    if (!places.empty()) submit.maps[map].places = places[map];
  }
  submit.reduces = reduces();
  const wire::JobLimits& limits = spec.limits();
  submit.options.attempts_max = std::max(1u, limits.attempts_max());
  // Executors notice a hang themselves, and know where it is; this is for one that does not.
  if (limits.task_timeout_ms() != 0)
    submit.options.task_timeout_ms = limits.task_timeout_ms() + kTimeoutGraceMs;
  else
    submit.options.task_timeout_ms = 0;
  submit.options.skip_bad_max = limits.skip_bad_max();
  submit.options.weight = std::max(1u, limits.weight());
  submit.options.speculate = limits.speculate();
  submit.options.gang = is_loop();
  submit.options.associative = spec.associative();
  submit.options.splits_archives = spec.splits_archives();
  submit.options.split_partition_bytes = limits.split_partition_bytes();
  submit.options.allow_nondeterminism = limits.allow_nondeterminism();
  return submit;
}

StagingOptions JobEntry::ForStaging(const std::string& owner) const {
  StagingOptions options;
  options.output_dir = spec.output_dir();
  options.job_id = job_id;
  options.parts = output_parts();
  options.overwrite = !spec.overwrite()              ? Overwrite::kNothing
                      : spec.overwrite_directories() ? Overwrite::kDirectories
                                                     : Overwrite::kWhole;
  options.has_parts = !spec.writes_directories();
  options.durable = spec.durable();
  options.owner = owner;
  return options;
}

std::uint32_t JobEntry::CommittedParts() const {
  return static_cast<std::uint32_t>(
      std::count_if(parts.begin(), parts.end(), [](const Part& part) { return part.epoch != 0; }));
}

std::vector<CommittedPart> JobEntry::Winners() const {
  std::vector<CommittedPart> winners;
  for (std::uint32_t part = 0; part < output_parts(); ++part)
    winners.push_back({part, parts[part].attempt, parts[part].info});
  for (const auto& [map, part] : beside) winners.push_back({map, part.attempt, part.info, true});
  return winners;
}

wire::JobState JobEntry::State(const JobView* view, TimeMs now) const {
  wire::JobState state;
  state.set_job_id(job_id);
  state.set_name(spec.name());
  state.set_user(spec.user());
  state.set_submission_key(spec.submission_key());
  state.set_output_dir(spec.output_dir());
  state.set_ended(ended_ms != 0);
  state.set_killing(killed && ended_ms == 0);
  if (ended_ms != 0) *state.mutable_status() = ToWire(status);
  state.set_weight(std::max(1u, spec.limits().weight()));
  state.set_maps_total(inputs.maps());
  state.set_reduces_total(reduces());
  JobTally counts = tally;
  if (view != nullptr) {
    counts = view->tally;
    state.set_maps_done(view->maps_done);
    state.set_maps_running(view->maps_running);
    state.set_reduces_done(view->reduces_done);
    state.set_reduces_running(view->reduces_running);
    state.set_combines_done(view->combines_done);
    state.set_combines_running(view->combines_running);
    state.set_joined_partitions(view->joined_partitions);
  } else {
    // What it came to, if it did not come to its end.
    const bool whole = ended_ms != 0 && status.ok();
    state.set_maps_done(whole ? inputs.maps() : maps_counted);
    state.set_reduces_done(whole ? reduces() : map_only() ? 0 : CommittedParts());
    state.set_combines_done(static_cast<std::uint32_t>(
        std::count(counted_combines.begin(), counted_combines.end(), true)));
    state.set_joined_partitions(joined_parts);
  }
  state.set_combines_total(static_cast<std::uint32_t>(counted_combines.size()));
  state.set_attempts_started(counts.attempts_started);
  state.set_attempts_failed(counts.attempts_failed);
  state.set_maps_rerun(counts.maps_rerun);
  state.set_records_skipped(counts.records_skipped);
  state.set_maps_placed(maps_placed);
  state.set_maps_at_place(maps_at_place);
  state.set_phase(ended_ms != 0                            ? wire::DONE
                  : committing                             ? wire::COMMITTING
                  : !staged                                ? wire::PREPARING
                  : state.maps_done() < state.maps_total() ? wire::MAPPING
                                                           : wire::REDUCING);
  *state.mutable_stats() = stats;
  // Of one that has ended its result tells.
  if (rounds != nullptr && ended_ms == 0)
    state.mutable_stats()->mutable_loop()->set_rounds(
        std::min(rounds->round(), spec.loop().rounds_max()));
  PutHeavyKeys(heavy_keys, kHeavyShareOfJob, *state.mutable_stats());
  if (stats.ByteSizeLong() > kCountersToldBytesMax) state.mutable_stats()->clear_counters();
  state.set_input_bytes(spec.input_bytes());
  std::uint64_t read = stats.input_bytes();
  for (const auto& [attempt, bytes] : reading)
    if (!counted_maps[attempt.first]) read += bytes;
  state.set_input_bytes_read(std::min(read, std::max(spec.input_bytes(), stats.input_bytes())));
  for (const std::string& warning : warnings)
    state.add_warnings(warning.substr(0, kWarningBytesMax));
  if (warnings_dropped > 0)
    state.add_warnings("and " + std::to_string(warnings_dropped) + " more warnings");
  loads.Put(view == nullptr ? std::span<const std::uint64_t>() : view->partition_bytes, state);
  for (const SplitPartition& split : plan.splits)
    if (static_cast<int>(split.partition) < state.partitions_size())
      state.mutable_partitions(static_cast<int>(split.partition))->set_pieces(split.pieces);
  if (ended_ms != 0 && status.ok()) {
    std::uint64_t output_bytes = 0;
    for (const Part& part : std::span(parts).first(output_parts())) {
      if (parts.size() <= kPartsMax) state.add_partition_output_bytes(part.info.total_bytes());
      output_bytes += part.info.total_bytes();
    }
    for (const auto& [map, part] : beside) output_bytes += part.info.total_bytes();
    state.set_output_bytes(output_bytes);
  }
  const auto span = [](TimeMs from, TimeMs to) { return from != 0 && to > from ? to - from : 0; };
  state.set_submitted_unix_ms(submitted_unix_ms);
  const TimeMs until = ended_ms != 0 ? ended_ms : now;
  const auto so_far = [until](TimeMs at) { return at != 0 ? at : until; };
  state.set_elapsed_ms(span(submitted_ms, until));
  state.set_prepare_ms(span(submitted_ms, so_far(staged_ms)));
  state.set_map_ms(span(staged_ms, so_far(maps_done_ms)));
  state.set_reduce_ms(span(maps_done_ms, so_far(reduces_done_ms)));
  state.set_commit_ms(span(reduces_done_ms, until));
  return state;
}

}  // namespace spillway
