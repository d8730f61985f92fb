#include "runtime/cli/option_value.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <vector>

#include "mapreduce/base/check.h"
#include "mapreduce/base/name_suggestion.h"
#include "mapreduce/base/units.h"
#include "runtime/cli/endpoint_text.h"
#include "runtime/cli/quantity_text.h"

namespace spillway {
namespace {

constexpr std::string_view kTrueWords[] = {"true", "yes", "on", "1"};
constexpr std::string_view kFalseWords[] = {"false", "no", "off", "0"};

bool IsOneOf(std::string_view text, std::span<const std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

std::string Quoted(std::string_view text) { return "'" + EscapeForLog(text) + "'"; }

std::string Joined(std::span<const std::string_view> words) {
  std::string text;
  for (const std::string_view word : words) text += (text.empty() ? "" : ", ") + std::string(word);
  return text;
}

Result<std::uint64_t> ParseCount(std::string_view text) {
  std::uint64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc{} || end != text.data() + text.size())
    return InvalidArgument("not a whole number");
  return count;
}

Result<std::uint64_t> ParseNumber(OptionKind kind, std::string_view text) {
  if (kind == OptionKind::kBytes) {
    // Zero is a size here, so that the limits below can name the least one.
    if (text == "0") return std::uint64_t{0};
    return ParseBytes(text);
  }
  if (kind == OptionKind::kDuration) return ParseDurationMs(text);
  return ParseCount(text);
}

std::string FormatLimit(OptionKind kind, std::uint64_t limit) {
  if (kind == OptionKind::kBytes) return FormatBytes(limit);
  if (kind == OptionKind::kDuration)
    return limit % 1'000 == 0 ? FormatWholeDuration(limit) : FormatCount(limit) + " ms";
  return FormatCount(limit);
}

std::string_view ExpectedForm(OptionKind kind) {
  if (kind == OptionKind::kBytes) return "a size, such as 64K, 1.5G or 2GiB";
  if (kind == OptionKind::kDuration) return "a time, such as 90s, 5m or 2h";
  return "a whole number";
}

Status CheckNumber(const OptionSpec& option, std::string_view text, const std::string& where) {
  const auto number = ParseNumber(option.kind, text);
  const std::string least = FormatLimit(option.kind, option.least);
  const std::string most = FormatLimit(option.kind, option.most);
  if (!number.ok())
    return InvalidArgument(where + Quoted(text) + " is not " +
                           std::string(ExpectedForm(option.kind)) + ". Give one from " + least +
                           " to " + most + ".");
  if (*number < option.least)
    return InvalidArgument(where + Quoted(text) + " is too little; the least is " + least + ".");
  if (*number > option.most)
    return InvalidArgument(where + Quoted(text) + " is too much; the most is " + most + ".");
  return OkStatus();
}

Status CheckChoice(const OptionSpec& option, std::string_view text, const std::string& where) {
  if (IsOneOf(text, option.choices)) return OkStatus();
  return InvalidArgument(where + Quoted(text) + " is not one of " + Joined(option.choices) + "." +
                         DidYouMean(text, {option.choices.begin(), option.choices.end()}));
}

}  // namespace

Status CheckOptionValue(const OptionSpec& option, std::string_view text, std::string_view where) {
  const std::string prefix = std::string(where) + ": ";
  if (text.find('\0') != std::string_view::npos)
    return InvalidArgument(prefix + Quoted(text) + " holds a zero byte, which no value may.");
  switch (option.kind) {
    case OptionKind::kSwitch:
    case OptionKind::kToggle:
      if (IsOneOf(text, kTrueWords) || IsOneOf(text, kFalseWords)) return OkStatus();
      return InvalidArgument(prefix + Quoted(text) + " is neither true nor false.");
    case OptionKind::kText:
      if (!text.empty()) return OkStatus();
      return InvalidArgument(prefix + "the value is empty. Give " +
                             (option.value_name == "DIR" ? "a directory."
                              : option.value_name == "FILE" || option.several_values ? "a path."
                                                                                     : "a text."));
    case OptionKind::kNamedPath: {
      const std::size_t equals = text.find('=');
      if (equals != 0 && equals != std::string_view::npos && equals + 1 < text.size())
        return OkStatus();
      return InvalidArgument(prefix + Quoted(text) +
                             " is not NAME=PATH, such as stopwords=lists/english.txt.");
    }
    case OptionKind::kCount:
    case OptionKind::kBytes:
    case OptionKind::kDuration: return CheckNumber(option, text, prefix);
    case OptionKind::kChoice:
    case OptionKind::kOptionalChoice: return CheckChoice(option, text, prefix);
    case OptionKind::kEndpoint:
      if (IsOneOf(text, option.choices)) return OkStatus();
      if (const auto endpoint = ReadEndpoint(text, option.least); !endpoint.ok())
        return InvalidArgument(prefix + endpoint.status().message());
      return OkStatus();
  }
  return InternalError(prefix + "an option kind without a check");
}

std::uint64_t NumberOf(const OptionSpec& option, std::string_view checked_text) {
  const auto number = ParseNumber(option.kind, checked_text);
  SPILLWAY_CHECK(number.ok());
  return *number;
}

bool TruthOf(std::string_view checked_text) { return IsOneOf(checked_text, kTrueWords); }

}  // namespace spillway
