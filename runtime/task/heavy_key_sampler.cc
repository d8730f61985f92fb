#include "runtime/task/heavy_key_sampler.h"

#include <algorithm>

#include "mapreduce/base/xxh64.h"

namespace spillway {

void HeavyKeySampler::Sample(std::span<const Record> batch) {
  while (ahead_ < batch.size()) {
    const Record& record = batch[ahead_];
    const std::string_view key = options_.order.GroupOf(KeyOf(record));
    const std::uint64_t bytes =
        std::uint64_t{record.key_bytes} +
        (options_.value_bytes != 0 ? options_.value_bytes : record.value_bytes);
    keys_.Add({key.substr(0, kHeavyKeyBytesMax), key.size(), Xxh64(key), gap_, gap_ * bytes});
    seen_ += gap_;
    gap_ = NextGap();
    ahead_ += gap_;
  }
  ahead_ -= batch.size();
}

// Of random length: a mapper that emits in a pattern would else be looked at in one place of it.
std::uint64_t HeavyKeySampler::NextGap() {
  const std::uint64_t mean = std::clamp<std::uint64_t>(seen_ / kDense, 1, kGapMax);
  return 1 + random_.Next() % (2 * mean - 1);
}

}  // namespace spillway
