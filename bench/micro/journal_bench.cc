// What the coordinator's journal costs: records a second, by how many share a turn and by whether
// each turn is synced, and how long a million records take to load. SPILLWAY_BENCH_DIR names the
// disk; a temporary directory by default.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "runtime/storage/job_journal.h"

namespace spillway {
namespace {

// A map attempt that is done: its id, 32 partition hashes and its statistics.
constexpr std::size_t kRecordBytes = 350;
constexpr JobId kJobs = 4;

class JournalDirectory {
 public:
  JournalDirectory() {
    const char* const base = std::getenv("SPILLWAY_BENCH_DIR");
    path_ = std::filesystem::path(
                base != nullptr ? base : std::filesystem::temp_directory_path().c_str()) /
            ("spillway-journal-bench-" + std::to_string(::getpid()));
  }
  ~JournalDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::unique_ptr<JobJournal> Open() const {
    JournalOptions options;
    options.directory = path_;
    auto journal = JobJournal::Open(options);
    return journal.ok() ? std::move(journal).value() : nullptr;
  }

 private:
  std::filesystem::path path_;
};

/// False: the disk did not take it.
bool WriteTurn(JobJournal& journal, std::int64_t records, Durability durability) {
  static const std::string record(kRecordBytes, 'r');
  for (std::int64_t i = 0; i < records; ++i)
    journal.Append(1 + static_cast<JobId>(i) % kJobs, record);
  return journal.Commit(durability).ok();
}

void BM_CommitTurns(benchmark::State& state) {
  const JournalDirectory directory;
  const auto journal = directory.Open();
  if (journal == nullptr) return state.SkipWithError("the journal cannot be opened");
  const auto durability = state.range(1) != 0 ? Durability::kDurable : Durability::kProcess;
  for (auto _ : state)
    if (!WriteTurn(*journal, state.range(0), durability)) return state.SkipWithError("disk");
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_CommitTurns)
    ->ArgNames({"records", "durable"})
    ->ArgsProduct({{1, 32, 1'000}, {0, 1}})
    ->UseRealTime()
    ->Unit(benchmark::kMicrosecond);

void BM_Load(benchmark::State& state) {
  const JournalDirectory directory;
  const auto journal = directory.Open();
  if (journal == nullptr) return state.SkipWithError("the journal cannot be opened");
  constexpr std::int64_t kTurn = 32;
  for (std::int64_t written = 0; written < state.range(0); written += kTurn)
    if (!WriteTurn(*journal, kTurn, Durability::kProcess)) return state.SkipWithError("disk");
  std::uint64_t bytes = 0;
  for (auto _ : state) {
    const Status status = journal->Load([&](JobId, std::string_view record) {
      bytes += record.size();
      return OkStatus();
    });
    if (!status.ok()) return state.SkipWithError(status.message().c_str());
  }
  benchmark::DoNotOptimize(bytes);
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Load)->ArgName("records")->Arg(1'000'000)->UseRealTime()->Unit(
    benchmark::kMillisecond);

}  // namespace
}  // namespace spillway
