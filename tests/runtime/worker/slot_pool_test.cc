#include "runtime/worker/slot_pool.h"

#include <gmock/gmock.h>

#include <array>
#include <atomic>
#include <future>

namespace spillway {
namespace {

TEST(SlotPoolTest, RunsEverythingOnAtMostItsThreads) {
  std::atomic<int> running{0}, most{0}, done{0};
  std::array<std::atomic<bool>, 3> taken{};
  {
    SlotPool pool(3);
    for (int i = 0; i < 200; ++i) {
      pool.Start([&](std::uint32_t slot) {
        EXPECT_FALSE(taken[slot].exchange(true)) << slot;
        const int now = ++running;
        int seen = most.load();
        while (seen < now && !most.compare_exchange_weak(seen, now)) {
        }
        --running;
        ++done;
        taken[slot] = false;
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
    pool.Start([open, finished](std::uint32_t) {
      open.wait();
      finished->set_value();
    });
    pool.Abandon();
  }
  gate.set_value();
  finish.wait();
}

}  // namespace
}  // namespace spillway
