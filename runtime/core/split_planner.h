// SplitPlanner: cuts a job's input files into map inputs, and chooses the number of reducers. Pure
// arithmetic: the same files and options give the same plan on every machine, because the plan is
// part of what makes a job's output the same bytes. Any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "mapreduce/base/status.h"
#include "mapreduce/base/units.h"

namespace spillway {

struct InputFile {
  std::string path;  ///< For messages; the plan names files by index.
  std::uint64_t bytes = 0;
  bool splittable = true;  ///< False for compressed streams: one range holds the whole file.
};

/// Bytes of one file. The record that begins in a range belongs to it, wherever it ends; how that
/// is found out is the reader's matter (mapreduce/input_format.h).
struct FileRange {
  std::uint32_t file_index = 0;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  bool operator==(const FileRange&) const = default;
};

/// What one map task reads: ranges in the order of the job's input. More than one only when small
/// files are packed.
struct MapInput {
  std::vector<FileRange> ranges;
  std::uint64_t bytes = 0;  ///< Sum over the ranges.
  bool operator==(const MapInput&) const = default;
};

/// What the description of a range of this file takes, about: its name twice, and numbers.
inline std::uint64_t DescriptionBytes(const InputFile& file) { return 2 * file.path.size() + 48; }

struct SplitOptions {
  std::uint64_t split_bytes = 128 * kMiB;
  /// A file's last split may be this much longer than split_bytes, so that a file of 129 MiB is
  /// not one task of 128 MiB and one of 1 MiB.
  std::uint32_t tail_percent = 10;
  /// Consecutive files share a task while they fit split_bytes together. Splits of larger files
  /// are never packed.
  bool pack_small_files = true;
  /// What the names of the files of one task may take: a task is described in one message.
  std::uint64_t task_names_bytes_max = 512 * kKiB;
  /// Above it split_bytes is doubled until the plan fits.
  std::uint32_t splits_max = 1'000'000;
};

/// The plan. Concatenated, its ranges are the files in order, every byte exactly once; empty files
/// take part in no range, and no map input is empty. InvalidArgument when split_bytes or splits_max
/// is zero, or when more than splits_max files are to be read unpacked.
Result<std::vector<MapInput>> PlanSplits(std::span<const InputFile> files,
                                         const SplitOptions& options);

/// A split size that gives small inputs some parallelism: an eighth of the input, in whole MiB,
/// between 4 MiB and 128 MiB. It depends on nothing but the input, see above.
std::uint64_t SplitBytesFor(std::uint64_t input_bytes);

/// The same for the parts of an iterative job, which stay where they are from round to round: a
/// 64th, so that they can be shared evenly, between 1 MiB and 128 MiB.
std::uint64_t LoopPartBytesFor(std::uint64_t input_bytes);

struct ReducerDemand {
  std::uint64_t input_bytes = 0;
  std::uint32_t slots = 1;  ///< Reduce tasks that can run at once.
};

/// The default number of reducers: one per slot, more where a reducer would get over 512 MiB, fewer
/// where it would get less than 8 MiB; above the slots a multiple of them, so that no wave runs
/// half empty. At least 1, at most 4096.
std::uint32_t ReducersFor(const ReducerDemand& demand);

}  // namespace spillway
