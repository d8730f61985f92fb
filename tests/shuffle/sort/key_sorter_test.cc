#include "shuffle/sort/key_sorter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <string>
#include <vector>

namespace spillway {
namespace {

using Keys = std::vector<std::string>;
using Random = std::mt19937_64;

/// Keys as records of an arena, the value of each being its number.
class KeyArena {
 public:
  explicit KeyArena(const Keys& keys) {
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const std::string value = std::to_string(i);
      const std::size_t offset = bytes_.size();
      bytes_.resize(offset + EncodedBytes(static_cast<std::uint32_t>(keys[i].size()),
                                          static_cast<std::uint32_t>(value.size())));
      EncodeRecord(MakeRecord(keys[i], value), bytes_.data() + offset);
      entries_.push_back(ArenaEntry::Make(offset, 0, keys[i]));
    }
    bytes_.append(SPILLWAY_PADDING_BYTES, '\x5a');
  }

  const char* data() const { return bytes_.data(); }
  std::vector<ArenaEntry> entries() const { return entries_; }

  /// The keys' numbers, in the entries' order.
  std::vector<std::size_t> Order(const std::vector<ArenaEntry>& entries) const {
    std::vector<std::size_t> order;
    for (const ArenaEntry& entry : entries) {
      const Record record = ArenaRecord(bytes_.data() + entry.offset()).record();
      order.push_back(std::stoul(std::string(ValueOf(record))));
    }
    return order;
  }

 private:
  std::string bytes_;
  std::vector<ArenaEntry> entries_;
};

std::vector<std::size_t> NaiveOrder(const Keys& keys, const KeyOrder& order = {}) {
  std::vector<std::size_t> numbers(keys.size());
  std::iota(numbers.begin(), numbers.end(), 0);
  std::stable_sort(numbers.begin(), numbers.end(), [&](std::size_t a, std::size_t b) {
    return order.Compare(keys[a], keys[b]) < 0;
  });
  return numbers;
}

/// Also from a start that is not in order of arrival, as bucketing leaves it.
void ExpectSorts(const Keys& keys) {
  const KeyArena arena(keys);
  const std::vector<std::size_t> expected = NaiveOrder(keys);
  for (const SortKernel kernel : {SortKernel::kFastest, SortKernel::kPortable}) {
    KeySorter sorter(arena.data(), kernel);
    for (const bool reversed : {false, true}) {
      std::vector<ArenaEntry> entries = arena.entries();
      if (reversed) std::reverse(entries.begin(), entries.end());
      sorter.Sort(entries);
      EXPECT_EQ(arena.Order(entries), expected) << "reversed: " << reversed;
    }
  }
}

std::string RandomKey(Random& random, std::size_t bytes_max, unsigned letters) {
  static constexpr std::string_view kAlphabet(
      "\0\xff"
      "ab\x7f\x80"
      "c\x01",
      8);
  std::string key(random() % (bytes_max + 1), 0);
  for (char& c : key) c = kAlphabet[random() % letters];
  return key;
}

TEST(KeySorterTest, TellsZeroPaddingFromZeros) {
  Keys keys;
  for (int round = 0; round < 3; ++round)
    for (const std::string& stem : {std::string(), std::string("a"), std::string("\xff"),
                                    std::string("abcdefg"), std::string("abcdefgh")})
      for (std::size_t zeros = 0; zeros < 20; ++zeros) keys.push_back(stem + std::string(zeros, 0));
  ExpectSorts(keys);
}

TEST(KeySorterTest, SortsRunsOfTheHighestByte) {
  Keys keys;
  for (std::size_t i = 0; i < 600; ++i) keys.emplace_back(i * 7 % 41, '\xff');
  ExpectSorts(keys);
}

TEST(KeySorterTest, MatchesAStableSortOnRandomKeys) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    Keys keys(random() % 2000);
    const auto letters = static_cast<unsigned>(1 + random() % 8);
    const std::size_t bytes_max = random() % 41;
    const std::string prefix(random() % 3 == 0 ? random() % 40 : 0, 'p');
    for (std::string& key : keys) key = prefix + RandomKey(random, bytes_max, letters);
    ExpectSorts(keys);
  }
}

TEST(KeySorterTest, MatchesAStableSortOnKeysThatBranchLate) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    Keys stems = {""};
    for (int i = 0; i < 30; ++i)
      stems.push_back(stems[random() % stems.size()] + RandomKey(random, 30, 3));
    Keys keys;
    for (int i = 0; i < 1500; ++i)
      keys.push_back(stems[random() % stems.size()] + RandomKey(random, 3, 2));
    ExpectSorts(keys);
  }
}

TEST(KeySorterTest, KeepsTheArrivalOrderOfEqualKeys) {
  for (const std::string& key : {std::string(), std::string("short"), std::string("8 bytes!"),
                                 std::string("nine byte"), std::string(1000, 'x')}) {
    SCOPED_TRACE(key.size());
    ExpectSorts(Keys(3000, key));
  }
}

TEST(KeySorterTest, SortsKeysOfAMegabyteThatDifferAtTheirEnd) {
  Random random(7);
  const std::string stem(1 << 20, 's');
  Keys keys;
  for (int i = 0; i < 40; ++i) keys.push_back(stem + RandomKey(random, 9, 4));
  keys.push_back(stem.substr(0, 1000));
  keys.push_back("t");
  ExpectSorts(keys);
}

TEST(KeySorterTest, SortsAStaircaseThatNestsAtEveryByte) {
  // One key leaves the run at each level; a recursive or quadratic sorter would not come back.
  Keys keys;
  for (std::size_t i = 0; i < 4000; ++i) keys.push_back(std::string(i, 'a') + 'b');
  std::shuffle(keys.begin(), keys.end(), Random(3));
  ExpectSorts(keys);
  for (std::string& key : keys) key.back() = 'a';
  ExpectSorts(keys);
}

TEST(KeySorterTest, SkipsAPrefixUpToTheEndOfTheShortestKey) {
  ExpectSorts({"user0001", "user", "user0001x", "user0", "user0001", "user"});
  ExpectSorts({"commonprefix", "commonprefix1", "commonprefix", "commonprefi"});
  ExpectSorts({std::string("\0\0\0\0\0", 5), std::string("\0\0\0\0", 4), std::string(9, '\0')});
}

TEST(KeySorterTest, SortsNothingAndOneKey) {
  ExpectSorts({});
  ExpectSorts({"alone"});
}

int CompareBackwards(const char* a, uint32_t a_bytes, const char* b, uint32_t b_bytes) {
  const std::string reversed_a(std::make_reverse_iterator(a + a_bytes),
                               std::make_reverse_iterator(a));
  const std::string reversed_b(std::make_reverse_iterator(b + b_bytes),
                               std::make_reverse_iterator(b));
  return reversed_a.compare(reversed_b);
}

int CompareLengths(const char*, uint32_t a_bytes, const char*, uint32_t b_bytes) {
  return a_bytes < b_bytes ? -1 : a_bytes > b_bytes ? 1 : 0;
}

TEST(KeySorterTest, SortsByACustomOrderStably) {
  for (const auto compare : {&CompareBackwards, &CompareLengths}) {
    const KeyOrder order{.compare = compare};
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      SCOPED_TRACE("seed " + std::to_string(seed));
      Random random(seed);
      Keys keys(1000);
      for (std::string& key : keys) key = RandomKey(random, 12, 3);
      const KeyArena arena(keys);
      std::vector<ArenaEntry> entries = arena.entries();
      std::reverse(entries.begin(), entries.end());
      KeySorter(arena.data()).SortBy(order, entries);
      EXPECT_EQ(arena.Order(entries), NaiveOrder(keys, order));
    }
  }
}

int ContradictItself(const char* a, uint32_t, const char*, uint32_t) { return a[0] < 'm' ? -1 : 1; }

TEST(KeySorterTest, SurvivesAnOrderThatContradictsItself) {
  Random random(5);
  Keys keys(2000);
  for (std::string& key : keys) key = std::string(1, static_cast<char>('a' + random() % 26));
  const KeyArena arena(keys);
  std::vector<ArenaEntry> entries = arena.entries();
  KeySorter(arena.data()).SortBy({.compare = &ContradictItself}, entries);
  std::vector<std::size_t> numbers = arena.Order(entries);
  std::sort(numbers.begin(), numbers.end());
  std::vector<std::size_t> all(keys.size());
  std::iota(all.begin(), all.end(), 0);
  EXPECT_EQ(numbers, all);
}

}  // namespace
}  // namespace spillway
