#include "runtime/stream/stream_options.h"

#include <charconv>
#include <string_view>
#include <utility>

namespace spillway {
namespace {

template <class Number>
Status ReadNumber(std::string_view name, std::string_view text, Number* number) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, *number);
  if (error == std::errc() && stop == end && *number > 0) return OkStatus();
  return InvalidArgument(std::string(name) + std::string(text) + " is no number above 0");
}

Status ReadByte(std::string_view name, std::string_view text, char* byte) {
  if (text.size() != 1 || text[0] == '\n')
    return InvalidArgument(std::string(name) + std::string(text) +
                           ": a separator is one byte, and no newline");
  *byte = text[0];
  return OkStatus();
}

/// Fields are found only when their separator is known.
struct FieldWords {
  std::string_view order, partition;
  bool has_partition = false;
  char separator = '\t';

  Status Read(StreamOptions* options) const {
    SPILLWAY_ASSIGN_OR_RETURN(options->keys.order, KeyFields::Parse(order, separator));
    if (!has_partition) return OkStatus();
    SPILLWAY_ASSIGN_OR_RETURN(options->partition, KeyFields::Parse(partition, separator));
    return OkStatus();
  }
};

/// False when `word` is none of the names that stand before a text.
bool ReadText(std::string_view word, StreamOptions* options) {
  const std::pair<std::string_view, std::string*> known[] = {
      {"--mapper=", &options->mapper},
      {"--combiner=", &options->combiner},
      {"--reducer=", &options->reducer},
      {"--directory=", &options->directory},
  };
  for (const auto& [name, value] : known) {
    if (!word.starts_with(name)) continue;
    value->assign(word.substr(name.size()));
    return true;
  }
  const std::pair<std::string_view, std::vector<std::string>*> repeated[] = {
      {"--variable=", &options->variables},
      {"--side-file=", &options->side_files},
  };
  for (const auto& [name, values] : repeated) {
    if (!word.starts_with(name)) continue;
    values->emplace_back(word.substr(name.size()));
    return true;
  }
  return false;
}

Status ReadHadoopWord(std::string_view word, StreamOptions* options, FieldWords* fields) {
  const std::string_view name = word.substr(0, word.find('=') + 1);
  const std::string_view value = word.substr(name.size());
  if (name == "--key-separator=") return ReadByte(name, value, &options->keys.separator);
  if (name == "--field-separator=") return ReadByte(name, value, &fields->separator);
  if (name == "--key-fields=") return ReadNumber(name, value, &options->keys.fields);
  if (name == "--lines-per-run=") return ReadNumber(name, value, &options->lines_per_run);
  if (name == "--order-by=") {
    fields->order = value;
  } else if (name == "--partition-by=") {
    fields->partition = value;
    fields->has_partition = true;
  } else if (word == "--hadoop") {
    options->hadoop = true;
  } else if (word == "--offsets") {
    options->offsets = true;
  } else if (word == "--input-tabs") {
    options->input_tabs = true;
  } else {
    return InvalidArgument("unknown argument '" + std::string(word) + "'");
  }
  return OkStatus();
}

}  // namespace

Result<StreamOptions> ReadStreamOptions(const Args& args) {
  StreamOptions options;
  FieldWords fields;
  for (std::size_t i = 0; i < args.size(); ++i)
    if (!ReadText(args[i], &options))
      SPILLWAY_RETURN_IF_ERROR(ReadHadoopWord(args[i], &options, &fields));
  SPILLWAY_RETURN_IF_ERROR(fields.Read(&options));
  for (const std::string& name : options.side_files)
    if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos)
      return InvalidArgument("--side-file=" + name + " cannot be the name of a file");
  if (!options.side_files.empty() && !options.directory.empty())
    return InvalidArgument("side files have a directory of their own: leave out --directory");
  if (options.mapper.empty())
    return InvalidArgument("give the mapper's command: spillway stream -m CMD -r CMD");
  if (options.reducer == kNoReducer) {
    options.map_only = true;
    options.reducer.clear();
  }
  if (options.map_only && !options.combiner.empty())
    return InvalidArgument("a job without reduce phase (-r NONE) has nothing to combine");
  return options;
}

}  // namespace spillway
