// StreamingWords: the command line of a Hadoop Streaming job, read and checked. A value; pure. What
// would change a result and is not served here is refused, each with its reason.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mapreduce/base/status.h"

namespace spillway {

/// SOURCE[#NAME] of -files and -archives: under which name the commands find it.
struct ShippedFile {
  std::string source;
  std::string name;
};

struct StreamingWords {
  std::vector<std::string> inputs;
  std::string output;
  std::optional<std::string> mapper, combiner, reducer;
  std::optional<std::string> reduce_tasks;
  std::string partitioner;  ///< The last part of a class's name; "" when not said.
  std::string input_format = "TextInputFormat";
  std::vector<ShippedFile> files;
  std::vector<ShippedFile> archives;
  std::vector<std::string> variables;             ///< NAME=VALUE, of -cmdenv.
  std::map<std::string, std::string> properties;  ///< Of -D, under their present names.

  /// The property's value, or `otherwise`.
  std::string Property(const std::string& name, const std::string& otherwise = "") const;
};

/// Reads what stands behind `hadoop jar`: the jar, then options. InvalidArgument for what is
/// missing, wrong or not served.
Result<StreamingWords> ReadStreamingWords(const std::vector<std::string>& words);

/// The words of a command as Hadoop Streaming finds them: parted by spaces; quotes of both kinds
/// keep them together; no other letter means anything, and no shell takes part.
std::vector<std::string> SplitCommand(std::string_view command);

/// One word for /bin/sh, quoted where it must be.
std::string QuoteForShell(std::string_view word);

}  // namespace spillway
