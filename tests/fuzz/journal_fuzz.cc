// Any bytes as rows of the journal, and any records in any order: refused with DataLoss, or a
// coordinator goes on from them.
#include <string>
#include <string_view>
#include <vector>

#include "mapreduce/base/check.h"
#include "runtime/coordinator/coordinator_machine.h"
#include "runtime/storage/turn_rows.h"
#include "tests/fuzz/fuzz_steps.h"

using namespace spillway;

namespace {

constexpr std::uint64_t kRowBytesMax = 64;

void CheckRow(std::string_view bytes) {
  const TurnRows::Row row{1, std::string(bytes)};
  std::vector<TurnRecord> records;
  const Status parsed = ParseTurnRow(row, records);
  if (!parsed.ok()) SPILLWAY_CHECK(parsed.code() == Code::kDataLoss);
  TurnRows rows(kRowBytesMax);
  for (const TurnRecord& record : records) {
    SPILLWAY_CHECK(record.record.data() >= row.records.data() &&
                   record.record.data() + record.record.size() <=
                       row.records.data() + row.records.size());
    rows.Append(record.job, record.record);
  }
  std::vector<TurnRecord> again;
  for (const TurnRows::Row& each : rows.rows()) SPILLWAY_CHECK(ParseTurnRow(each, again).ok());
  SPILLWAY_CHECK_EQ(again.size(), records.size());
  for (std::size_t i = 0; i < again.size(); ++i)
    SPILLWAY_CHECK(again[i].record == records[i].record);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  CheckRow({reinterpret_cast<const char*>(data), size});

  CoordinatorMachineOptions options;
  options.scheduler = SchedulerOptions::Tiny();
  options.authenticated = false;
  options.epoch = 2;
  options.owner = "fuzzed";
  CoordinatorMachine machine(options, FetchSecrets());
  FuzzSteps steps(data, size);
  std::uint8_t choice = 0;
  for (std::string_view record; steps.Next(&choice, &record);) {
    if ((choice & 1) != 0) {
      machine.RestoreEnded(record);
      continue;
    }
    const Status restored = machine.Restore(record);
    if (restored.ok()) continue;
    SPILLWAY_CHECK(restored.code() == Code::kDataLoss || restored.code() == Code::kInvalidArgument);
    return 0;
  }
  machine.Resume(machine.now_ms());
  for (TimeMs now = machine.now_ms(), turn = 0; turn < 4 && now < UINT64_MAX - 100; ++turn) {
    const Effects effects = machine.TakeEffects(now);
    for (const OutputOrder& order : effects.outputs)
      if (order.kind != OutputOrder::Kind::kDrop)
        machine.OnOutputDone(order, OkStatus(), "/staging", now);
    (void)machine.ViewCluster();
    now += 100;
    machine.Tick(now);
  }
  return 0;
}
