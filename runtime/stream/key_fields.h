// KeyFields: the fields of a key that decide its partition or its place in the order, as `sort -k`
// and Hadoop's KeyFieldBasedPartitioner and KeyFieldBasedComparator name them. A value; pure.
//
//   -k1,1        the first field           -k2        from the second field to the end
//   -k2.3,2.5    some of its bytes         -k2,2nr    by number, the largest first
//   -n, -r, -nr  for all -k that say neither; without any -k, for the whole key
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mapreduce/base/status.h"

namespace spillway {

class KeyFields {
 public:
  /// InvalidArgument for words that are none of the above. Of no words there are no fields.
  static Result<KeyFields> Parse(std::string_view words, char separator);

  bool empty() const { return fields_.empty(); }

  /// The hash by which Hadoop chooses the partition: hash % partitions.
  std::uint32_t Hash(std::string_view key) const;

  /// Appends bytes that compare as the fields do, so that the engine needs no comparator: texts
  /// with an end that sorts before every byte, numbers by sign, length and digits, and all of it
  /// inverted where the order is.
  void AppendOrder(std::string_view key, std::string* bytes) const;

 private:
  struct Field {
    std::uint32_t begin_field = 1, begin_byte = 1;
    std::uint32_t end_field = 0, end_byte = 0;  ///< 0: the end of the key; of the field.
    bool numeric = false, reverse = false;
  };

  static Result<Field> ParseField(std::string_view text);
  /// The field's bytes; false when the key has no such field.
  bool Find(const Field& field, std::string_view key, std::string_view* found) const;

  std::vector<Field> fields_;
  char separator_ = '\t';
};

}  // namespace spillway
