#include "runtime/local/slot_pool.h"

#include <gmock/gmock.h>

#include <atomic>
#include <future>

#include "runtime/local/machine.h"

namespace spillway {
namespace {

TEST(SlotPoolTest, RunsEverythingOnAtMostItsThreads) {
  std::atomic<int> running{0}, most{0}, done{0};
  {
    SlotPool pool(3);
    for (int i = 0; i < 200; ++i) {
      pool.Start([&] {
        const int now = ++running;
        int seen = most.load();
        while (seen < now && !most.compare_exchange_weak(seen, now)) {
        }
        --running;
        ++done;
      });
    }
  }
  EXPECT_EQ(done, 200);
  EXPECT_LE(most, 3);
}

TEST(SlotPoolTest, AnAbandonedTaskDoesNotHoldUpTheEnd) {
  std::promise<void> gate;
  auto open = gate.get_future().share();
  auto finished = std::make_shared<std::promise<void>>();
  auto finish = finished->get_future();
  {
    SlotPool pool(1);
    pool.Start([open, finished] {
      open.wait();
      finished->set_value();
    });
    pool.Abandon();
  }
  gate.set_value();
  finish.wait();
}

TEST(MachineTest, TellsWhatTheProcessMayUseAndUses) {
  EXPECT_GE(AvailableCpus(), 1u);
  EXPECT_GT(AvailableMemoryBytes(), 64u << 20);
  EXPECT_GT(ResidentBytes(), 0u);
  EXPECT_GE(PeakResidentBytes(), ResidentBytes() / 2);
  EXPECT_GE(CpuSeconds(), 0.0);
}

}  // namespace
}  // namespace spillway
