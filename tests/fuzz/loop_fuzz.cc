// Any bytes as a loop's checkpoint, as the file of a round, and as a state: read, or refused. The
// hash is put right first where the input asks for it.
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "mapreduce/base/check.h"
#include "mapreduce/loop_bytes.h"
#include "mapreduce/loop_file.h"
#include "runtime/task/loop_checkpoints.h"

using namespace spillway;

namespace {

struct Centre {
  double x, y;
};

void ReadState(std::string_view state) {
  LoopReader in(state);
  std::uint32_t number = 0;
  std::string text;
  std::vector<double> numbers;
  std::vector<Centre> centres;
  try {
    in.Get(number);
    in.Get(text);
    in.Get(numbers);
    in.Get(centres);
  } catch (const std::runtime_error&) {
  }
  SPILLWAY_CHECK_LE(text.size() + numbers.size() * sizeof(double) + centres.size() * sizeof(Centre),
                    state.size());
}

void ReadFile(std::string_view bytes) {
  const auto file = LoopFile::Parse(bytes);
  if (!file.ok()) {
    SPILLWAY_CHECK(file.status().code() == Code::kDataLoss);
    return;
  }
  SPILLWAY_CHECK_EQ(file->state.size() + LoopFile::kHeadBytes + LoopFile::kHashBytes, bytes.size());
  const std::string spelt = file->Encode();
  const auto again = LoopFile::Parse(spelt);
  SPILLWAY_CHECK(again.ok() && again->round == file->round && again->state == file->state);
  ReadState(file->state);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) return 0;
  std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  ReadState(bytes);
  if ((data[0] & 1) != 0 && bytes.size() >= LoopFile::kHashBytes) {
    const std::size_t hashed = bytes.size() - LoopFile::kHashBytes;
    StoreLittle(bytes.data() + hashed, Xxh64({bytes.data(), hashed}));
  }
  ReadFile(bytes);
  const auto state = LoopCheckpoints::Parse(bytes, 3, "fuzzed");
  if (!state.ok()) SPILLWAY_CHECK(state.status().code() == Code::kDataLoss);
  return 0;
}
