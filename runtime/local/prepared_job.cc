#include "runtime/local/prepared_job.h"

#include <algorithm>
#include <boost/filesystem.hpp>
#include <cstdlib>

#include "mapreduce/base/units.h"
#include "mapreduce/input_format.h"
#include "mapreduce/job.h"
#include "runtime/archive/archive_entry.h"
#include "runtime/archive/archive_stream.h"
#include "runtime/local/named_inputs.h"
#include "runtime/storage/machine.h"

namespace spillway {

namespace {

constexpr std::uint32_t kMemoryPercentDefault = 60;
constexpr std::uint32_t kThreadsMax = 1024;

// A fold's table is the more worth the more records it sees, so its map tasks take several splits
// in a row: as many as leave every thread a task, up to a limit on what a failed attempt throws
// away.
constexpr std::uint32_t kFoldSplitsMax = 8;

// Text of an archive for each byte of it, where a size must be guessed.
constexpr std::uint64_t kArchiveExpansion = 4;

using Reasons = std::vector<std::pair<std::string, std::string>>;

Status CheckRequest(const JobRequest& request) {
  if (request.inputs.empty()) return InvalidArgument("no input: give --input FILE...");
  if (request.output_dir.empty()) return InvalidArgument("no output: give --output DIR");
  if (request.reducers > kReducersMax)
    return InvalidArgument("--reducers " + std::to_string(request.reducers) + " is above " +
                           std::to_string(kReducersMax));
  if (request.threads > kThreadsMax)
    return InvalidArgument("--threads " + std::to_string(request.threads) + " is above " +
                           std::to_string(kThreadsMax));
  return OkStatus();
}

/// --mode, --rounds and --checkpoint-every are for loops, and for chains with a stage that is
/// repeated; the last one needs a memory mode.
Status CheckLoop(const JobRequest& request, const PluginJob& job) {
  if (request.loop.mode == LoopRequest::Mode::kDisk && request.loop.checkpoints_asked)
    return InvalidArgument(
        "in disk mode the state of each round is a file: leave out --checkpoint-every");
  if (!request.loop.asked() || job.abi().loop != nullptr) return OkStatus();
  bool repeats = false, in_memory = false;
  if (job.chain() != nullptr)
    for (std::size_t i = 0; i < job.chain()->stage_count; ++i) {
      repeats = repeats || job.chain()->stages[i].rounds_max > 0;
      in_memory = in_memory || job.chain()->stages[i].when == SPILLWAY_STAGE_IN_MEMORY;
    }
  if (!repeats)
    return InvalidArgument("job " + std::string(job.abi().name) +
                           " is not iterative: leave out --mode, --rounds and "
                           "--checkpoint-every");
  if (in_memory) return OkStatus();
  if (request.loop.checkpoints_asked)
    return InvalidArgument("job " + std::string(job.abi().name) +
                           " keeps its values in files from round to round: leave out "
                           "--checkpoint-every");
  if (request.loop.mode == LoopRequest::Mode::kMemory)
    return InvalidArgument("job " + std::string(job.abi().name) +
                           " keeps its values in files from round to round: it has no memory "
                           "mode. Leave out --mode");
  return OkStatus();
}

/// Both canonical.
bool IsOrHolds(const boost::filesystem::path& directory, const boost::filesystem::path& path) {
  return std::mismatch(directory.begin(), directory.end(), path.begin(), path.end()).first ==
         directory.end();
}

/// Output that is being written must not be read as input, and what is overwritten not be input.
Status CheckOutput(FileSystem& files, const JobRequest& request, PlaceCheck check,
                   const std::vector<std::string>& given, const std::vector<FoundFile>& inputs) {
  const Status place = check == PlaceCheck::kNow
                           ? CheckOutputPlace(files, request.output_dir, request.overwrite)
                           : OkStatus();
  // Who wants something replaced is told first when it is what the job reads, or where it runs.
  if (request.overwrite == Overwrite::kNothing || place.code() != Code::kAlreadyExists)
    SPILLWAY_RETURN_IF_ERROR(place);
  namespace fs = boost::filesystem;
  boost::system::error_code error;
  const fs::path output = fs::weakly_canonical(request.output_dir, error);
  for (const std::string& input : given) {
    const fs::path directory = fs::weakly_canonical(input, error);
    if (error) continue;
    if (IsOrHolds(directory, output))
      return InvalidArgument("the output '" + request.output_dir + "' lies inside the input '" +
                             input + "'; choose a place outside of it");
  }
  // Whoever says "here" to mean the place in which the output is to appear would lose all in it.
  const fs::path here = fs::current_path(error);
  if (!error && request.overwrite == Overwrite::kWhole && IsOrHolds(output, here))
    return InvalidArgument("the output '" + request.output_dir +
                           "' is or holds the working directory, which would be replaced with all "
                           "that is in it; name a directory for the output alone");
  for (const FoundFile& file : inputs) {
    const fs::path input = fs::weakly_canonical(file.path, error);
    if (error) continue;
    if (IsOrHolds(output, input))
      return InvalidArgument("the input '" + file.path + "' lies inside the output '" +
                             request.output_dir +
                             "', which would be replaced; choose another "
                             "--output");
  }
  return place;
}

/// What the job that writes the result is: of a chain, its last stage.
const spillway_job& ResultJob(const PluginJob& job) {
  return job.chain() == nullptr ? job.abi()
                                : *job.chain()->stages[job.chain()->stage_count - 1].job;
}

Status CheckOverwrite(const JobRequest& request, const PluginJob& job) {
  if (request.overwrite != Overwrite::kDirectories || ResultJob(job).writes_directories != 0)
    return OkStatus();
  return InvalidArgument("--overwrite=partitions: job " + std::string(job.abi().name) +
                         " does not write to directories named KEY=VALUE, so that all of its "
                         "output would stay in part. Say --overwrite to replace it");
}

Status CheckSideFiles(FileSystem& files, const JobRequest& request) {
  for (const auto& [name, path] : request.side_files) {
    const Result<FileInfo> info = files.Stat(path);
    if (!info.ok()) return info.status().Annotate("--file " + name);
    if (info->kind != FileKind::kRegular)
      return InvalidArgument("--file " + name + ": '" + path + "' is not a regular file");
  }
  return OkStatus();
}

/// Joins neighbouring map inputs of a fold. Its result does not depend on how they are cut.
void JoinSplits(PreparedJob& job) {
  const std::size_t each =
      std::min<std::size_t>(job.maps.size() / job.plan.threads, kFoldSplitsMax);
  if (each < 2) return;
  std::vector<MapInput> joined;
  std::uint64_t names_bytes = 0;
  for (std::size_t i = 0; i < job.maps.size(); ++i) {
    std::uint64_t more_bytes = 0;
    for (const FileRange& range : job.maps[i].ranges)
      more_bytes += DescriptionBytes({job.inputs[range.file_index].path, 0, true});
    if (i % each == 0 || names_bytes + more_bytes > SplitOptions().task_names_bytes_max) {
      joined.emplace_back();
      names_bytes = 0;
    }
    names_bytes += more_bytes;
    MapInput& map = joined.back();
    map.ranges.insert(map.ranges.end(), job.maps[i].ranges.begin(), job.maps[i].ranges.end());
    map.bytes += job.maps[i].bytes;
  }
  job.maps = std::move(joined);
}

/// Lists the files of all inputs. Each file is read once for each input that has it.
Status FindInputs(FileSystem& files, PreparedJob& job, PlaceCheck check) {
  SPILLWAY_ASSIGN_OR_RETURN(const auto paths, PathsByInput(job.plugin->abi(), job.request.inputs));
  SPILLWAY_ASSIGN_OR_RETURN(const PartitionFilter where, PartitionFilter::Parse(job.request.where));
  if (!where.empty() && job.plugin->abi().input_count > 0)
    return InvalidArgument(
        "--where is for jobs of one input, and this one has several by name; name the directories "
        "to be read with -i");
  std::vector<std::string> all;
  for (std::uint32_t input = 0; input < paths.size(); ++input) {
    SPILLWAY_ASSIGN_OR_RETURN(InputListing found, ListInputFiles(files, paths[input], where));
    job.plan.partitions_read += found.partitions_read;
    job.plan.partitions_passed_over += found.partitions_passed_over;
    for (FoundFile& file : found.files) {
      file.input = input;
      job.inputs.push_back(std::move(file));
    }
    all.insert(all.end(), paths[input].begin(), paths[input].end());
  }
  if (!where.empty())
    job.plan.reasons.emplace_back(
        "input", "directories that fit " + EscapeForLog(where.text()) + ": " +
                     FormatCount(job.plan.partitions_read) + " read, " +
                     FormatCount(job.plan.partitions_passed_over) + " passed over, not listed");
  return CheckOutput(files, job.request, check, all, job.inputs);
}

bool IsArchive(const FoundFile& file) { return ArchiveKindOf(file.path) != ArchiveKind::kNone; }

std::uint64_t TextBytes(const FoundFile& file, std::uint64_t bytes) {
  return IsArchive(file) ? kArchiveExpansion * bytes : bytes;
}

/// Looks at the beginning of each compressed file. BadData names those that are none.
Status ExamineArchives(FileSystem& files, PreparedJob& job) {
  Status first;
  std::size_t others = 0;
  for (const FoundFile& file : job.inputs) {
    const auto needed = ArchiveMemoryBytes(files, file.path, file.info.bytes);
    if (needed.ok()) {
      job.decoder_bytes = std::max(job.decoder_bytes, *needed);
    } else if (first.ok()) {
      first = needed.status();
    } else {
      ++others;
    }
  }
  if (others == 0) return first;
  return Status(first.code(),
                first.message() + " (and " + std::to_string(others) + " more like it)");
}

/// Whether the file may be several splits. Archives are split where a decoder can begin within
/// them, and the byte behind which a record begins can be told without what is before it.
Result<bool> MaySplit(FileSystem& files, const PreparedJob& job, const FoundFile& file,
                      std::uint64_t split_bytes) {
  const spillway_framing& framing = FramingOf(job.plugin->abi(), file.input);
  if (!IsArchive(file)) return IsSplittable(framing);
  if (file.info.bytes <= split_bytes) return false;
  if (framing.kind != SPILLWAY_FRAMING_DELIMITED && framing.kind != SPILLWAY_FRAMING_SPACES)
    return false;
  return HasArchiveEntries(files, file.path, file.info.bytes, split_bytes);
}

/// What cannot be split is one task, however many could work.
void WarnOfLargeArchives(PreparedJob& job, std::span<const InputFile> files,
                         std::uint64_t split_bytes) {
  const FoundFile* largest = nullptr;
  std::size_t count = 0;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const FoundFile& file = job.inputs[i];
    if (!IsArchive(file) || files[i].splittable || file.info.bytes <= split_bytes) continue;
    ++count;
    if (largest == nullptr || file.info.bytes > largest->info.bytes) largest = &file;
  }
  if (count == 0) return;
  job.plan.warnings.push_back(
      std::to_string(count) + (count == 1 ? " compressed file is" : " compressed files are") +
      " larger than a split and will not be split, so that one task reads all of it: " +
      largest->path + " has " + FormatBytes(largest->info.bytes) +
      ". Lines of .bz2 are read by many tasks, and of archives with many frames (pzstd, bgzip); so "
      "are many smaller archives.");
}

void WarnOfOtherArchives(PreparedJob& job) {
  const FoundFile* first = nullptr;
  std::size_t count = 0;
  for (const FoundFile& file : job.inputs) {
    if (!IsOtherArchive(file.path)) continue;
    if (count++ == 0) first = &file;
  }
  if (count == 0) return;
  job.plan.warnings.push_back(
      std::to_string(count) + (count == 1 ? " file is" : " files are") +
      " read without being decompressed: " + first->path +
      ". Only .gz, .bz2, .zst and .lz4 are decompressed; unpack the others before.");
}

Status ChooseSplits(FileSystem& file_system, PreparedJob& job, Reasons& reasons) {
  bool splittable = true;
  for (const FoundFile& file : job.inputs) {
    splittable = splittable && IsSplittable(FramingOf(job.plugin->abi(), file.input));
    job.plan.archives += IsArchive(file) ? 1 : 0;
    job.plan.input_bytes += file.info.bytes;
    job.text_bytes += TextBytes(file, file.info.bytes);
  }
  SplitOptions options;
  options.pack_small_files = !job.is_loop();  // A part of a loop is a range of one file.
  const bool asked = job.request.split_bytes != 0;
  options.split_bytes =
      asked ? job.request.split_bytes
            : (job.is_loop() ? LoopPartBytesFor : SplitBytesFor)(job.plan.input_bytes);
  std::vector<InputFile> files;
  for (const FoundFile& file : job.inputs) {
    SPILLWAY_ASSIGN_OR_RETURN(const bool splits,
                              MaySplit(file_system, job, file, options.split_bytes));
    files.push_back({file.path, file.info.bytes, splits});
    if (!splits || !IsArchive(file)) continue;
    ++job.plan.archives_split;
    job.decoder_bytes = std::max(job.decoder_bytes, RangeMemoryBytes(ArchiveKindOf(file.path)));
  }
  SPILLWAY_ASSIGN_OR_RETURN(job.maps, PlanSplits(files, options));
  for (const MapInput& map : job.maps) {
    std::uint64_t text_bytes = 0;
    for (const FileRange& range : map.ranges) {
      const FoundFile& file = job.inputs[range.file_index];
      text_bytes += TextBytes(file, range.bytes);
      job.plan.splits.push_back({file.path, range.offset, range.bytes});
    }
    job.map_bytes_max = std::max(job.map_bytes_max, text_bytes);
  }
  WarnOfLargeArchives(job, files, options.split_bytes);
  WarnOfOtherArchives(job);
  job.plan.input_files = job.inputs.size();
  job.loop_parts = static_cast<std::uint32_t>(job.maps.size());
  if (job.plugin->abi().fold_kind != SPILLWAY_FOLD_NONE) JoinSplits(job);
  job.plan.maps = static_cast<std::uint32_t>(job.maps.size());
  reasons.emplace_back("splits",
                       std::to_string(job.plan.splits.size()) + " of up to " +
                           FormatBytes(options.split_bytes) +
                           (asked ? ": as asked" : ": sized by the input, 128 MiB at most") +
                           (splittable ? ""
                                       : "; files are not split, because records of " +
                                             std::string(job.plugin->abi().input_name) +
                                             " are found only from a file's start"));
  if (job.plan.archives > 0)
    reasons.emplace_back("compressed",
                         std::to_string(job.plan.archives) + " of the files, of which " +
                             std::to_string(job.plan.archives_split) +
                             " are split: those of bzip2, or with several frames, that are larger "
                             "than a split and have records that end with a delimiter");
  reasons.emplace_back("map tasks", std::to_string(job.plan.maps) +
                                        ": consecutive small files share a task, and a fold's "
                                        "tasks take several splits where there are many");
  return OkStatus();
}

void ChooseReducers(PreparedJob& job, Reasons& reasons) {
  const spillway_job& abi = job.plugin->abi();
  std::string why = "as asked";
  std::uint32_t reducers = job.request.reducers;
  if (job.map_only()) {
    reducers = static_cast<std::uint32_t>(job.maps.size());
    why = "map only: one part per map task";
  } else if (job.is_loop()) {
    reducers = 1;
    why = "one task folds a round";
  } else if (reducers == 0 && abi.reducers_default != 0) {
    reducers = abi.reducers_default;
    why = "the job's own choice";
  } else if (reducers == 0) {
    reducers = ReducersFor({job.text_bytes, job.plan.threads});
    why = "by input size and threads";
  }
  job.parts = reducers;
  job.plan.partitions = reducers;
  reasons.emplace_back("partitions", std::to_string(reducers) + ": " + why);
}

Status ChooseMemory(PreparedJob& job, Reasons& reasons) {
  const bool asked = job.request.memory_bytes != 0;
  MemoryDemand demand;
  demand.total_bytes =
      asked ? job.request.memory_bytes : AvailableMemoryBytes() / 100 * kMemoryPercentDefault;
  demand.baseline_bytes = SettledResidentBytes();
  demand.threads = job.plan.threads;
  demand.split_bytes = job.map_bytes_max;
  demand.reducers = job.parts;
  demand.decoder_bytes = job.decoder_bytes;
  SPILLWAY_ASSIGN_OR_RETURN(job.memory, PlanMemory(demand));
  if (job.request.in_memory) {
    // Map outputs first: tasks keep a quarter of what they would have.
    const std::uint64_t moved = (job.memory.task_bytes - job.memory.task_bytes / 4);
    if (job.memory.task_bytes / 4 >= kTaskBytesMin) {
      job.memory.task_bytes -= moved;
      job.memory.segment_bytes += moved * job.memory.threads;
    }
  }
  job.plan.threads = job.memory.threads;
  job.plan.memory_bytes = demand.total_bytes;
  job.plan.task_memory_bytes = job.memory.task_bytes;
  job.plan.segment_memory_bytes = job.memory.segment_bytes;
  reasons.emplace_back("memory",
                       FormatBytes(demand.total_bytes) +
                           (asked ? ": as asked" : ": 60 % of what the machine or cgroup gives"));
  if (job.request.threads == 0)
    reasons.emplace_back("processors", std::to_string(demand.threads) +
                                           ": by affinity, cgroup quota and SLURM_CPUS_PER_TASK");
  reasons.insert(reasons.end(), job.memory.reasons.begin(), job.memory.reasons.end());
  return OkStatus();
}

void ForecastScratch(FileSystem& files, PreparedJob& job) {
  job.spill_dirs = job.request.spill_dirs;
  if (job.spill_dirs.empty()) {
    const char* tmp = std::getenv("TMPDIR");
    job.spill_dirs.push_back(tmp != nullptr && tmp[0] != '\0' ? tmp : "/tmp");
  }
  for (const std::string& directory : job.spill_dirs) {
    const Result<std::uint64_t> free = files.FreeBytes(directory);
    job.plan.scratch.push_back({directory, free.ok() ? *free : 0});
  }
  // A map emits about its input, and an entry's overhead; what fits memory is not written. Folds
  // and combiners need less.
  const std::uint64_t emitted = job.map_only() ? 0 : job.text_bytes + job.text_bytes / 8;
  const std::uint64_t kept = std::min(emitted, job.memory.segment_bytes);
  job.plan.scratch_bytes_needed = emitted - kept;
}

void DescribePlugin(PreparedJob& job) {
  const spillway_job& abi = job.plugin->abi();
  job.plan.job_name = abi.name;
  if (const spillway_chain* const chain = job.plugin->chain(); chain != nullptr)
    for (std::size_t i = 0; i < chain->stage_count; ++i) {
      const spillway_stage& stage = chain->stages[i];
      job.plan.chain.push_back({{stage.inputs, stage.inputs + stage.input_count},
                                stage.rounds_max,
                                stage.when,
                                stage.job->loop != nullptr,
                                stage.job->reducers_default != 0});
    }
  job.plan.plugin_path = job.plugin->library().path();
  job.plan.mapper_name = abi.mapper_name;
  job.plan.reducer_name = abi.reducer_name == nullptr ? "" : abi.reducer_name;
  job.plan.input_name = abi.input_name;
  job.plan.output_name = abi.output_name;
  job.plan.writes_directories = abi.writes_directories != 0;
  job.plan.shuffle = job.is_loop()                         ? "loop"
                     : abi.map_only != 0                   ? "none (map only)"
                     : abi.fold_kind != SPILLWAY_FOLD_NONE ? "fold"
                     : abi.combiner_run != nullptr         ? "sort + combiner"
                                                           : "sort";
}

}  // namespace

void SeatLoop(PreparedJob& job, std::uint32_t seats) {
  const auto parts = static_cast<std::uint32_t>(job.maps.size());
  const std::uint32_t count = std::max(1u, std::min(seats, parts));
  std::vector<MapInput> seated(count);
  for (std::uint32_t part = 0; part < parts; ++part) {
    MapInput& seat = seated[part % count];
    seat.ranges.push_back(job.maps[part].ranges.front());
    seat.bytes += job.maps[part].bytes;
  }
  job.maps = std::move(seated);
  job.seats = true;
  job.parts = job.plan.maps = job.plan.partitions = count;
  job.plan.reasons.emplace_back("seats", std::to_string(count) + ": one for each slot, with " +
                                             std::to_string(parts) + " parts in turn");
}

Status CheckStates(const PreparedJob& job, std::uint64_t room_bytes, const std::string& where) {
  const std::uint64_t needed = job.request.loop.state_bytes;
  if (needed <= room_bytes) return OkStatus();
  return InvalidArgument("the states of the loop need " + FormatBytes(needed) +
                         " of memory in each process, and " + where + " leaves " +
                         FormatBytes(room_bytes) + ": use --mode disk, or give more --memory");
}

std::vector<SplitRange> PreparedJob::RangesOf(std::uint32_t map_task) const {
  std::vector<SplitRange> ranges;
  for (const FileRange& range : maps[map_task].ranges) {
    const FoundFile& file = inputs[range.file_index];
    ranges.push_back({file.path,
                      range.file_index,
                      file.info.bytes,
                      range.offset,
                      range.bytes,
                      file.info.inode,
                      file.info.mtime_ns,
                      {},
                      file.input});
  }
  return ranges;
}

Result<PreparedJob> PrepareJob(FileSystem& files, const JobRequest& request, PlaceCheck check) {
  PreparedJob job;
  job.request = request;
  SPILLWAY_RETURN_IF_ERROR(CheckRequest(request));
  SPILLWAY_ASSIGN_OR_RETURN(auto library,
                            request.linked_plugin != nullptr
                                ? PluginLibrary::Linked(request.linked_plugin)
                                : PluginLibrary::Load(request.plugin_path, &request.args));
  SPILLWAY_ASSIGN_OR_RETURN(job.plugin,
                            PluginJob::Configure(std::move(library), request.args, request.stage));
  SPILLWAY_RETURN_IF_ERROR(CheckLoop(request, *job.plugin));
  SPILLWAY_RETURN_IF_ERROR(CheckOverwrite(request, *job.plugin));
  SPILLWAY_RETURN_IF_ERROR(FindInputs(files, job, check));
  SPILLWAY_RETURN_IF_ERROR(CheckSideFiles(files, request));
  SPILLWAY_RETURN_IF_ERROR(ExamineArchives(files, job));
  DescribePlugin(job);
  job.plan.threads = request.threads != 0 ? request.threads : AvailableCpus();
  SPILLWAY_RETURN_IF_ERROR(ChooseSplits(files, job, job.plan.reasons));
  ChooseReducers(job, job.plan.reasons);
  SPILLWAY_RETURN_IF_ERROR(ChooseMemory(job, job.plan.reasons));
  ForecastScratch(files, job);
  return job;
}

}  // namespace spillway
