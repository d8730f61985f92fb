#include "runtime/stream/key_fields.h"

#include <algorithm>
#include <charconv>

namespace spillway {
namespace {

constexpr std::string_view kDigits = "0123456789";

/// A number at the front of `text`, which is cut off. False when there is none above 0.
bool TakeNumber(std::string_view* text, std::uint32_t* number) {
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), *number);
  if (error != std::errc() || *number == 0) return false;
  text->remove_prefix(static_cast<std::size_t>(end - text->data()));
  return true;
}

bool TakeByte(std::string_view* text, char byte) {
  if (!text->starts_with(byte)) return false;
  text->remove_prefix(1);
  return true;
}

/// FIELD[.BYTE]
bool TakePosition(std::string_view* text, std::uint32_t* field, std::uint32_t* byte) {
  if (!TakeNumber(text, field)) return false;
  return !TakeByte(text, '.') || TakeNumber(text, byte);
}

/// Any of n and r, once each or more often.
bool TakeFlags(std::string_view* text, bool* numeric, bool* reverse) {
  while (!text->empty()) {
    if (TakeByte(text, 'n')) {
      *numeric = true;
    } else if (TakeByte(text, 'r')) {
      *reverse = true;
    } else {
      return false;
    }
  }
  return true;
}

std::string_view NextWord(std::string_view* words) {
  const std::size_t begin = std::min(words->find_first_not_of(' '), words->size());
  words->remove_prefix(begin);
  const std::string_view word = words->substr(0, words->find(' '));
  words->remove_prefix(word.size());
  return word;
}

/// A NUL becomes NUL 0xff, and NUL NUL is the end: the order of texts, shorter first.
void AppendText(std::string_view text, std::string* bytes) {
  while (true) {
    const std::size_t nul = std::min(text.find('\0'), text.size());
    bytes->append(text.substr(0, nul));
    if (nul == text.size()) break;
    bytes->append("\0\xff", 2);
    text.remove_prefix(nul + 1);
  }
  bytes->append(2, '\0');
}

void Invert(std::string* bytes, std::size_t from) {
  for (std::size_t i = from; i < bytes->size(); ++i) (*bytes)[i] = static_cast<char>(~(*bytes)[i]);
}

std::string_view TakeDigits(std::string_view* text) {
  const std::string_view digits = text->substr(0, text->find_first_not_of(kDigits));
  text->remove_prefix(digits.size());
  return digits;
}

/// What is no number is 0, as for `sort -n`. The sign is 0, 1 or 2; then, unless it is 1, the count
/// of the digits before the point, all digits, and an end that sorts before each of them. The bytes
/// behind a negative sign are inverted.
void AppendNumber(std::string_view text, std::string* bytes) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  const bool negative = TakeByte(&text, '-');
  std::string_view whole = TakeDigits(&text);
  whole.remove_prefix(std::min(whole.find_first_not_of('0'), whole.size()));
  std::string_view fraction = TakeByte(&text, '.') ? TakeDigits(&text) : std::string_view();
  fraction = fraction.substr(0, fraction.find_last_not_of('0') + 1);
  if (whole.empty() && fraction.empty()) {
    *bytes += '\1';
    return;
  }
  *bytes += negative ? '\0' : '\2';
  const std::size_t from = bytes->size();
  for (int shift = 24; shift >= 0; shift -= 8)
    *bytes += static_cast<char>(static_cast<std::uint32_t>(whole.size()) >> shift);
  bytes->append(whole).append(fraction).append(1, '\0');
  if (negative) Invert(bytes, from);
}

}  // namespace

Result<KeyFields::Field> KeyFields::ParseField(std::string_view text) {
  const std::string whole(text);
  Field field;
  bool ok = TakePosition(&text, &field.begin_field, &field.begin_byte);
  if (ok && TakeByte(&text, ',')) ok = TakePosition(&text, &field.end_field, &field.end_byte);
  if (!ok || !TakeFlags(&text, &field.numeric, &field.reverse))
    return InvalidArgument("'-k" + whole +
                           "' names no field of a key; write -kFIELD[.BYTE][,FIELD[.BYTE]][nr]");
  return field;
}

Result<KeyFields> KeyFields::Parse(std::string_view words, char separator) {
  KeyFields fields;
  fields.separator_ = separator;
  Field all;
  bool has_flags = false;
  for (std::string_view word = NextWord(&words); !word.empty(); word = NextWord(&words)) {
    const std::string whole(word);
    if (TakeByte(&word, '-') && TakeByte(&word, 'k')) {
      SPILLWAY_ASSIGN_OR_RETURN(const Field field,
                                ParseField(word.empty() ? NextWord(&words) : word));
      fields.fields_.push_back(field);
    } else if (word.empty() || whole[0] != '-' || !TakeFlags(&word, &all.numeric, &all.reverse)) {
      return InvalidArgument("'" + whole +
                             "' is no option of a key's fields; there are -k, -n and -r");
    } else {
      has_flags = true;
    }
  }
  for (Field& field : fields.fields_) {
    if (field.numeric || field.reverse) continue;
    field.numeric = all.numeric;
    field.reverse = all.reverse;
  }
  if (fields.fields_.empty() && has_flags) fields.fields_.push_back(all);
  return fields;
}

bool KeyFields::Find(const Field& field, std::string_view key, std::string_view* found) const {
  std::size_t begin = 0;
  std::size_t at = 0;  // Of the field that is looked at.
  std::size_t end = key.size();
  for (std::uint32_t number = 1;; ++number) {
    const std::size_t field_end = std::min(key.find(separator_, at), key.size());
    if (number == field.begin_field) begin = at + field.begin_byte - 1;
    if (number == field.end_field)
      end = field.end_byte == 0 ? field_end : std::min(at + field.end_byte, key.size());
    if (number >= std::max(field.begin_field, field.end_field)) break;
    if (field_end == key.size()) {
      if (number < field.begin_field) return false;
      break;
    }
    at = field_end + 1;
  }
  if (begin >= key.size() && !(begin == 0 && key.empty())) return false;
  *found = key.substr(begin, end > begin ? end - begin : 0);
  return true;
}

std::uint32_t KeyFields::Hash(std::string_view key) const {
  std::uint32_t hash = 0;
  const auto add = [&hash](std::string_view bytes) {
    for (const char c : bytes)
      hash = 31 * hash + static_cast<std::uint32_t>(static_cast<signed char>(c));
  };
  if (fields_.empty()) add(key);
  for (const Field& field : fields_) {
    std::string_view bytes;
    if (Find(field, key, &bytes)) add(bytes);
  }
  return hash & 0x7fffffff;
}

void KeyFields::AppendOrder(std::string_view key, std::string* bytes) const {
  for (const Field& field : fields_) {
    const std::size_t from = bytes->size();
    std::string_view found;
    Find(field, key, &found);
    if (field.numeric) {
      AppendNumber(found, bytes);
    } else {
      AppendText(found, bytes);
    }
    if (field.reverse) Invert(bytes, from);
  }
}

}  // namespace spillway
