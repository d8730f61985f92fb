#include "mapreduce/builtin/join.h"

#include <gtest/gtest.h>

#include <string>

#include "mapreduce/adapter/reduce_adapter.h"
#include "mapreduce/builtin/text_output.h"
#include "tests/mapreduce/fake_task.h"

namespace spillway {
namespace {

template <JoinKind kKind>
class Lines : public Join<std::string, std::string, std::uint32_t, std::string, std::string> {
 public:
  static constexpr std::size_t kLeftBytesMax = 1000;
  JoinKind kind() const { return kKind; }
  void OnMatch(std::string_view key, const std::string_view* left, const std::uint32_t* right,
               Emitter& out) {
    out.Emit(key, (left == nullptr ? "-" : std::string(*left)) + "/" +
                      (right == nullptr ? "-" : std::to_string(*right)));
  }
};

using Row = JoinRow<std::string, std::uint32_t>;
using Key = std::pair<std::string, JoinSide>;

template <class T>
std::string Encoded(const View<T>& value) {
  std::string bytes(Codec<T>::BytesMax(value), '\0');
  bytes.resize(static_cast<std::size_t>(Codec<T>::Encode(value, bytes.data()) - bytes.data()));
  return bytes;
}

using Record = std::pair<std::string, std::string>;

Record LeftRow(std::string_view key, std::string_view row) {
  return {Encoded<Key>({key, JoinSide::kLeft}),
          Encoded<Row>(View<Row>(std::in_place_index<0>, row))};
}
Record RightRow(std::string_view key, std::uint32_t row) {
  return {Encoded<Key>({key, JoinSide::kRight}),
          Encoded<Row>(View<Row>(std::in_place_index<1>, row))};
}

template <JoinKind kKind>
int RunJoin(FakeTask& task) {
  return internal::RunReducer<JoinReducer<Lines<kKind>>,
                              internal::FormatDelivery<std::string, std::string, TextOutput>>(
      &task.task);
}

/// Keys a (both sides), b (left only), c (right only); the group a goes over two batches.
template <JoinKind kKind>
std::string JoinOf() {
  FakeTask task;
  task.batches.push_back({{LeftRow("a", "x"), LeftRow("a", ""), RightRow("a", 1)}, {0}});
  task.batches.push_back({{RightRow("a", 2), LeftRow("b", "y"), RightRow("c", 3)}, {1, 2}});
  EXPECT_EQ(RunJoin<kKind>(task), 0) << task.message;
  return task.text;
}

const std::string kMatches = "a\tx/1\na\t/1\na\tx/2\na\t/2\n";

TEST(Join, MatchesComeInTheOrderOfTheRightRows) { EXPECT_EQ(JoinOf<JoinKind::kInner>(), kMatches); }

TEST(Join, OuterJoinsKeepRowsWithoutPartner) {
  EXPECT_EQ(JoinOf<JoinKind::kLeftOuter>(), kMatches + "b\ty/-\n");
  EXPECT_EQ(JoinOf<JoinKind::kRightOuter>(), kMatches + "c\t-/3\n");
  EXPECT_EQ(JoinOf<JoinKind::kFullOuter>(), kMatches + "b\ty/-\nc\t-/3\n");
}

TEST(Join, LeftRowsSortBeforeRightOnes) {
  EXPECT_LT(LeftRow("a", "z").first, RightRow("a", 0).first);
  EXPECT_LT(RightRow("a", 0).first, LeftRow("a\x01", "").first);
}

TEST(Join, TooManyLeftRowsOfAKeyFailWithAnAdvice) {
  FakeTask task;
  task.batches.push_back({{LeftRow("a", std::string(2000, 'x'))}, {0}});
  EXPECT_NE(RunJoin<JoinKind::kInner>(task), 0);
  EXPECT_NE(task.message.find("more than 1000 bytes"), std::string::npos) << task.message;
}

TEST(Join, ARowOfNeitherSideIsMalformed) {
  View<Row> row;
  DecodeScratch scratch;
  const std::string bad = "\x02z", empty, cut = "\x01z";
  for (const std::string& bytes : {bad, empty, cut})
    EXPECT_EQ(Codec<Row>::Decode(bytes.data(), bytes.data() + bytes.size(), &row, scratch),
              nullptr);
}

}  // namespace
}  // namespace spillway
