#include "runtime/storage/machine.h"

#include <gmock/gmock.h>

#include <memory>
#include <vector>

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

TEST(MachineTest, WhatWasFreedIsNotResidentOnceThatIsSettled) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizers' allocators keep what was freed";
#endif
  constexpr std::size_t kBlockBytes = 1 << 10, kBlocks = 64 << 10;
  // One block stays at the end, so that free() itself cannot give the rest back.
  std::vector<std::unique_ptr<char[]>> blocks;
  for (std::size_t i = 0; i < kBlocks; ++i) {
    blocks.push_back(std::make_unique<char[]>(kBlockBytes));
    blocks.back()[0] = 'x';
  }
  const std::uint64_t full_bytes = ResidentBytes();
  blocks.erase(blocks.begin(), blocks.end() - 1);
  EXPECT_LT(SettledResidentBytes() + kBlockBytes * kBlocks / 2, full_bytes);
}

}  // namespace
}  // namespace spillway
