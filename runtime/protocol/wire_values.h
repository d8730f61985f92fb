// The values of the core and of the base as the messages spell them, and back. What comes from the
// wire is checked here for range; whether it means anything is the receiver's to judge. Pure.
#pragma once

#include "mapreduce/base/status.h"
#include "runtime/core/attempt_id.h"
#include "runtime/core/heavy_keys.h"
#include "runtime/protocol/spillway.pb.h"

namespace spillway {

wire::AttemptId ToWire(const AttemptId& id);
AttemptId FromWire(const wire::AttemptId& id);

wire::SegmentRef ToWire(const SegmentRef& segment);
SegmentRef FromWire(const wire::SegmentRef& segment);

RecordPlace FromWire(const wire::RecordPlace& place);
wire::RecordPlace ToWire(const RecordPlace& place);

wire::StatusText ToWire(const Status& status);
/// A code that is not known is Internal; the message is cut at kStatusTextBytesMax.
Status FromWire(const wire::StatusText& status);
inline constexpr std::size_t kStatusTextBytesMax = 16 << 10;

/// The name under which a worker asks for a job's InputNames; no side file has it.
inline constexpr char kInputNamesFile[] = "\001inputs";
/// Larger ones do not come with StartJob: it waits in every worker's queue at once.
inline constexpr std::size_t kInputNamesBytesMax = 8 << 10;

/// Submission keys that a client made up for one submission, and that no other has, begin with it.
inline constexpr const char* kOwnKeyPrefix = "auto-";

/// sum += more, counters included, heavy keys not. At most kCountersMax names; what comes later is
/// dropped.
void Add(wire::TaskStats& sum, const wire::TaskStats& more);
inline constexpr int kCountersMax = 10'000;

/// Puts the keys with at least 1 / `share` of the records of a map output into its statistics.
void PutHeavyKeys(const HeavyKeys& keys, std::uint64_t share, wire::TaskStats& stats);
/// Adds what a task says of its keys, or of what it says so much as can be true of its output.
void AddHeavyKeys(const wire::TaskStats& stats, HeavyKeys& sum);
inline constexpr int kHeavyKeysTold = 32;
/// Of a task, and of a job: a key that is light in most tasks may be heavy in one.
inline constexpr std::uint64_t kHeavyShareOfTask = 200;
inline constexpr std::uint64_t kHeavyShareOfJob = 100;

}  // namespace spillway
