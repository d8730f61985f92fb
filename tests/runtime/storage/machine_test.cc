#include "runtime/storage/machine.h"

#include <gmock/gmock.h>

namespace spillway {
namespace {

TEST(MachineTest, TellsWhatTheProcessMayUseAndUses) {
  EXPECT_GE(AvailableCpus(), 1u);
  EXPECT_GT(AvailableMemoryBytes(), 64u << 20);
  EXPECT_GT(ResidentBytes(), 0u);
  EXPECT_GE(PeakResidentBytes(), ResidentBytes() / 2);
  EXPECT_GT(DataBytes(), 0u);
  EXPECT_GE(CpuSeconds(), 0.0);
}

}  // namespace
}  // namespace spillway
