#include "runtime/storage/partition_filter.h"

#include <algorithm>
#include <utility>

#include "mapreduce/base/units.h"

namespace spillway {

namespace {

struct WholeNumber {
  bool negative = false;
  std::string_view digits;  ///< Without zeros before them: "" is 0.
};

bool ReadWholeNumber(std::string_view text, WholeNumber* number) {
  number->negative = text.starts_with('-');
  if (number->negative) text.remove_prefix(1);
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return false;
  number->digits = text.substr(std::min(text.find_first_not_of('0'), text.size()));
  if (number->digits.empty()) number->negative = false;
  return true;
}

/// Of any length: an id may have more digits than a machine word.
int CompareNumbers(const WholeNumber& a, const WholeNumber& b) {
  if (a.negative != b.negative) return a.negative ? -1 : 1;
  int order = a.digits.compare(b.digits);
  if (a.digits.size() != b.digits.size()) order = a.digits.size() < b.digits.size() ? -1 : 1;
  return a.negative ? -order : order;
}

int CompareValues(std::string_view a, std::string_view b) {
  WholeNumber left, right;
  if (ReadWholeNumber(a, &left) && ReadWholeNumber(b, &right)) return CompareNumbers(left, right);
  return a.compare(b);
}

}  // namespace

Result<PartitionFilter::Condition> PartitionFilter::ParseOne(const std::string& text) {
  // The longer ones first: "<=" begins with "<".
  static constexpr std::pair<std::string_view, Relation> kRelations[] = {
      {"!=", Relation::kUnequal}, {"<=", Relation::kAtMost}, {">=", Relation::kAtLeast},
      {"=", Relation::kEqual},    {"<", Relation::kLess},    {">", Relation::kGreater}};
  const std::size_t at = text.find_first_of("=<>!");
  for (const auto& [sign, relation] : kRelations) {
    if (at == std::string::npos || at == 0 || text.compare(at, sign.size(), sign) != 0) continue;
    Condition condition{text.substr(0, at), relation, text.substr(at + sign.size()), text};
    const bool crossed = condition.value.find_first_of("=<>") == 0;
    if (crossed) break;  // "==", or ">=" the other way round.
    return condition;
  }
  return InvalidArgument("--where: '" + EscapeForLog(text) +
                         "' is no condition on a directory's name. Write 'KEY=VALUE', or one of "
                         "!= < <= > >= in place of =, in quotes.");
}

Result<PartitionFilter> PartitionFilter::Parse(const std::vector<std::string>& conditions) {
  PartitionFilter filter;
  for (const std::string& text : conditions) {
    SPILLWAY_ASSIGN_OR_RETURN(Condition condition, ParseOne(text));
    filter.conditions_.push_back(std::move(condition));
  }
  return filter;
}

bool PartitionFilter::Fits(std::string_view key, std::string_view value) const {
  return std::all_of(conditions_.begin(), conditions_.end(), [&](const Condition& condition) {
    if (condition.key != key) return true;
    const int order = CompareValues(value, condition.value);
    switch (condition.relation) {
      case Relation::kEqual: return order == 0;
      case Relation::kUnequal: return order != 0;
      case Relation::kLess: return order < 0;
      case Relation::kAtMost: return order <= 0;
      case Relation::kGreater: return order > 0;
      case Relation::kAtLeast: return order >= 0;
    }
    return false;
  });
}

bool PartitionFilter::Names(std::string_view key) const {
  return std::any_of(conditions_.begin(), conditions_.end(),
                     [&](const Condition& condition) { return condition.key == key; });
}

std::string PartitionFilter::KeyNotIn(const std::vector<std::string>& keys) const {
  for (const Condition& condition : conditions_)
    if (std::find(keys.begin(), keys.end(), condition.key) == keys.end()) return condition.key;
  return {};
}

std::string PartitionFilter::text() const {
  std::string text;
  for (const Condition& condition : conditions_) text += (text.empty() ? "" : " ") + condition.text;
  return text;
}

}  // namespace spillway
