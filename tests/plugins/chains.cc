// A chain with all that chains can do: map-only stages that are fused with what follows, a fold, a
// stage that two others read, and one that reads two stages. Text in; for each word of at least
// `--letters=N` letters, how often it occurs, how many words occur as often, and how many have its
// first letter: `word TAB count TAB as often TAB same letter`, by count and word.
#include <mapreduce/mapreduce.h>

#include <charconv>

using namespace spillway;

class ListWords : public Mapper<WordChunks, std::string, Nothing> {
 public:
  void Map(const Chunk& chunk, Emitter& out) {
    ForEachWord(chunk.text, [&](std::string_view word) { out.Emit(word); });
  }
};

class KeepLong : public Mapper<Pairs<std::string, Nothing>, std::string, Nothing> {
 public:
  Status Setup(TaskContext& context) {
    if (const auto letters = context.args().Option("letters"))
      std::from_chars(letters->data(), letters->data() + letters->size(), letters_);
    left_out_ = context.counter("chains", "left out");
    return OkStatus();
  }
  void Map(const Pair<std::string, Nothing>& word, Emitter& out) {
    if (word.key == "bad!") throw BadRecord("a bad word");
    if (word.key.size() >= letters_) {
      out.Emit(word.key);
    } else {
      left_out_.Increment();
    }
  }

 private:
  std::size_t letters_ = 0;
  Counter left_out_;
};

class One : public Mapper<Pairs<std::string, Nothing>, std::string, std::uint64_t> {
 public:
  void Map(const Pair<std::string, Nothing>& word, Emitter& out) { out.Emit(word.key, 1); }
};

/// For a word: the count that others have as well, or the letter.
using Place = std::pair<std::string, std::uint64_t>;

template <bool kByLetter>
class Others : public Mapper<Pairs<std::string, std::uint64_t>,
                             std::conditional_t<kByLetter, std::string, std::uint64_t>, Place> {
 public:
  void Map(const Pair<std::string, std::uint64_t>& word,
           typename Mapper<Pairs<std::string, std::uint64_t>,
                           std::conditional_t<kByLetter, std::string, std::uint64_t>,
                           Place>::Emitter& out) {
    if constexpr (kByLetter) {
      out.Emit(word.key.substr(0, 1), {word.key, word.value});
    } else {
      out.Emit(word.value, {word.key, word.value});
    }
  }
};

/// (count, word) -> (0 for as often, 1 for the letter, how many).
using Ranked = std::pair<std::uint64_t, std::string>;
using Crowd = std::pair<std::uint8_t, std::uint64_t>;

template <class K, std::uint8_t kWhich>
class CountOthers : public Reducer<K, Place, Ranked, Crowd> {
 public:
  void Reduce(const View<K>&, typename Reducer<K, Place, Ranked, Crowd>::Values& values,
              typename Reducer<K, Place, Ranked, Crowd>::Emitter& out) {
    std::vector<Place> words;
    for (const auto& [word, count] : values) words.emplace_back(word, count);
    for (const auto& [word, count] : words) out.Emit({count, word}, {kWhich, words.size()});
  }
};

class Both : public Mapper<Pairs<Ranked, Crowd>, Ranked, Crowd> {
 public:
  void Map(const Pair<Ranked, Crowd>& pair, Emitter& out) { out.Emit(pair.key, pair.value); }
};

class Lines : public Reducer<Ranked, Crowd, std::string,
                             std::tuple<std::uint64_t, std::uint64_t, std::uint64_t>> {
 public:
  void Reduce(const View<Ranked>& key, Values& values, Emitter& out) {
    std::uint64_t crowds[2] = {};
    const std::string word(key.second);
    const std::uint64_t count = key.first;
    for (const auto& [which, size] : values) crowds[which] += size;
    out.Emit(word, {count, crowds[0], crowds[1]});
  }
};

SPILLWAY_PLUGIN("chains", "words and how many are like them", "[--letters=N]") {
  return NewChain()
      .Then(NewJob().Map<ListWords>().MapOnly())
      .Then(NewJob().Map<KeepLong>().MapOnly())
      .Then(NewJob().Map<One>().Fold<Sum<std::uint64_t>>())
      .Then(NewJob().Map<Others<false>>().Reduce<CountOthers<std::uint64_t, 0>>(), {0})
      .Then(NewJob().Map<Others<true>>().Reduce<CountOthers<std::string, 1>>(), {0})
      .Then(NewJob().Map<Both>().Reduce<Lines>().Reducers(1), {1, 2});
}
