// Joins of two inputs through the shuffle, for sides of any size (a repartition join): both are
// sorted by key, and of each key the left rows are kept while the right ones stream past.
//
//   class Sales : public Join<std::string, std::string, double, std::string, double> {
//    public:                // Key, Left, Right, OutKey, OutValue
//     void OnMatch(std::string_view, const std::string_view* city, const double* price,
//                  Emitter& out) { out.Emit(*city, *price); }
//   };
//   class ReadCities : public JoinMapper<TextLines, Sales> {
//    public:
//     void Map(const Line& line, Emitter& out) { EmitLeft(customer, city, out); }
//   };
//   class ReadOrders : public JoinMapper<TextLines, Sales> {
//    public:
//     void Map(const Line& line, Emitter& out) { EmitRight(customer, price, out); }
//   };
//   NewJob().MapInputs<NamedInput<"cities", ReadCities>, NamedInput<"orders", ReadOrders>>()
//           .GroupBy<GroupByFirst>().Reduce<JoinReducer<Sales>>()
//
// Make the side with fewer rows per key the left one. Matches come in the order of (key, right row,
// left row), rows in the order of the input. Where one side is small, broadcast_table.h joins
// without a shuffle; where both are sorted already, merge_join.h does. One task, one thread.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "mapreduce/codec_tuple.h"
#include "mapreduce/mapper.h"
#include "mapreduce/reducer.h"

namespace spillway {

/// Their order is that of the rows of a key.
enum class JoinSide : std::uint8_t { kLeft = 0, kRight = 1 };

/// Which rows without a partner are handed over as well.
enum class JoinKind { kInner, kLeftOuter, kRightOuter, kFullOuter };

/// A row of either side: one byte that says of which, then the row.
template <class L, class R>
struct JoinRow {};

template <class L, class R>
struct Codec<JoinRow<L, R>> {
  using View = std::variant<spillway::View<L>, spillway::View<R>>;

  static std::size_t BytesMax(const View& row) {
    return 1 + (row.index() == 0 ? Codec<L>::BytesMax(std::get<0>(row))
                                 : Codec<R>::BytesMax(std::get<1>(row)));
  }
  static char* Encode(const View& row, char* to) {
    *to++ = static_cast<char>(row.index());
    return row.index() == 0 ? Codec<L>::Encode(std::get<0>(row), to)
                            : Codec<R>::Encode(std::get<1>(row), to);
  }
  static const char* Decode(const char* from, const char* end, View* row, DecodeScratch& scratch) {
    if (from == end) return nullptr;
    switch (*from) {
      case 0: return Codec<L>::Decode(from + 1, end, &row->template emplace<0>(), scratch);
      case 1: return Codec<R>::Decode(from + 1, end, &row->template emplace<1>(), scratch);
      default: return nullptr;
    }
  }
};

/// The base of a join: what is joined, and what becomes of a match.
template <class K, class L, class R, class OutK, class OutV>
class Join {
 public:
  using Key = K;
  using Left = L;
  using Right = R;
  using OutKey = OutK;
  using OutValue = OutV;
  using Emitter = spillway::Emitter<OutK, OutV>;
  /// Left rows of one key are held in memory, encoded; more than this fail the job.
  static constexpr std::size_t kLeftBytesMax = std::size_t{64} << 20;

  // void OnMatch(const View<K>& key, const View<L>* left, const View<R>* right, Emitter& out);
  // to be written by you. A side is null when it has no row for the key, in outer joins only.

  /// Before the first key.
  Status Setup(TaskContext&) { return OkStatus(); }
  JoinKind kind() const { return JoinKind::kInner; }
};

/// The base of a join's mapper.
template <class InputFormatClass, class J>
class JoinMapper : public Mapper<InputFormatClass, std::pair<typename J::Key, JoinSide>,
                                 JoinRow<typename J::Left, typename J::Right>> {
 public:
  using Emitter = spillway::Emitter<std::pair<typename J::Key, JoinSide>,
                                    JoinRow<typename J::Left, typename J::Right>>;
  using Row = View<JoinRow<typename J::Left, typename J::Right>>;

  static void EmitLeft(const View<typename J::Key>& key, const View<typename J::Left>& row,
                       Emitter& out) {
    out.Emit({key, JoinSide::kLeft}, Row(std::in_place_index<0>, row));
  }
  static void EmitRight(const View<typename J::Key>& key, const View<typename J::Right>& row,
                        Emitter& out) {
    out.Emit({key, JoinSide::kRight}, Row(std::in_place_index<1>, row));
  }
};

template <class J>
class JoinReducer : public Reducer<std::pair<typename J::Key, JoinSide>,
                                   JoinRow<typename J::Left, typename J::Right>, typename J::OutKey,
                                   typename J::OutValue> {
  using Base =
      Reducer<std::pair<typename J::Key, JoinSide>, JoinRow<typename J::Left, typename J::Right>,
              typename J::OutKey, typename J::OutValue>;
  using KeyView = View<std::pair<typename J::Key, JoinSide>>;
  using LeftView = View<typename J::Left>;
  using RightView = View<typename J::Right>;
  using RowView = View<typename Base::Value>;

 public:
  Status Setup(TaskContext& context) { return join_.Setup(context); }

  void Reduce(const KeyView& key, typename Base::Values& values, typename Base::Emitter& out) {
    lefts_.Clear();
    const JoinKind kind = join_.kind();
    const bool keeps_left = kind == JoinKind::kLeftOuter || kind == JoinKind::kFullOuter;
    const bool keeps_right = kind == JoinKind::kRightOuter || kind == JoinKind::kFullOuter;
    bool matched = false;
    for (RowView row; values.Next(&row);) {
      if (row.index() == 0) {
        lefts_.Add(std::get<0>(row));
        continue;
      }
      matched = true;
      const RightView& right = std::get<1>(row);
      for (const LeftView& left : lefts_.rows()) join_.OnMatch(key.first, &left, &right, out);
      if (lefts_.rows().empty()) {
        if (kind == JoinKind::kInner) return;  // Nor will those that follow match.
        if (keeps_right) join_.OnMatch(key.first, nullptr, &right, out);
      }
    }
    if (matched || !keeps_left) return;
    for (const LeftView& left : lefts_.rows()) join_.OnMatch(key.first, &left, nullptr, out);
  }

 private:
  /// Copies of the left rows. They are decoded when all of them are there, since their bytes move
  /// while they grow.
  class LeftRows {
   public:
    void Clear() {
      bytes_.clear();
      ends_.clear();
      rows_.clear();
      scratch_.Clear();
    }

    void Add(const LeftView& row) {
      const std::size_t begin = bytes_.size();
      bytes_.resize(begin + Codec<typename J::Left>::BytesMax(row));
      char* const end = Codec<typename J::Left>::Encode(row, bytes_.data() + begin);
      bytes_.resize(static_cast<std::size_t>(end - bytes_.data()));
      ends_.push_back(bytes_.size());
      if (bytes_.size() + ends_.size() * sizeof(LeftView) > J::kLeftBytesMax)
        throw std::length_error(
            "the left rows of one key take more than " + std::to_string(J::kLeftBytesMax) +
            " bytes: make the other side the left one, or give the join a larger kLeftBytesMax");
    }

    const std::vector<LeftView>& rows() {
      for (std::size_t i = rows_.size(); i < ends_.size(); ++i) {
        const std::size_t begin = i == 0 ? 0 : ends_[i - 1];
        LeftView row{};
        internal::DecodeField<typename J::Left>(bytes_.data() + begin,
                                                static_cast<std::uint32_t>(ends_[i] - begin), &row,
                                                scratch_, "left row");
        rows_.push_back(row);
      }
      return rows_;
    }

   private:
    std::string bytes_;
    std::vector<std::size_t> ends_;
    std::vector<LeftView> rows_;
    DecodeScratch scratch_;
  };

  J join_;
  LeftRows lefts_;
};

}  // namespace spillway
