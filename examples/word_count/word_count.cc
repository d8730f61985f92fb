// Word count: how often each word occurs. A word is a run of bytes above 0x20.
#include <mapreduce/mapreduce.h>

using namespace spillway;

class CountWords : public Mapper<WordChunks, std::string, std::uint64_t> {
 public:
  void Map(const Chunk& chunk, Emitter& out) {
    ForEachWord(chunk.text, [&](std::string_view word) { out.Emit(word, 1); });
  }
};

SPILLWAY_PLUGIN("wordcount", "counts words: runs of bytes above 0x20", "") {
  return NewJob().Map<CountWords>().Fold<Sum<std::uint64_t>>();
}
