#include "runtime/hadoop/streaming_command.h"

#include <algorithm>
#include <boost/filesystem.hpp>
#include <charconv>

#include "runtime/hadoop/streaming_properties.h"
#include "runtime/storage/input_files.h"

namespace spillway {
namespace {

namespace fs = boost::filesystem;
using Error = boost::system::error_code;

/// Into about so many tasks goes a file whose every line is work of its own.
constexpr std::uint64_t kLineTasks = 64;
constexpr std::uint64_t kSplitBytesMin = 512;  // As the command has it.

/// Beside those that the command decompresses. Hadoop's .lz4 is not the one of the lz4 tool.
constexpr std::string_view kNotRead[] = {".lz4", ".lzo", ".xz", ".deflate", ".snappy"};

Status CheckText(const std::string& path) {
  for (const std::string_view ending : kNotRead)
    if (path.ends_with(ending))
      return InvalidArgument("the input '" + path + "' is compressed, and of its kinds only .gz, " +
                             ".bz2 and .zst are read here");
  return OkStatus();
}

/// Calls `take` with each file of the inputs.
template <class Take>
Status ForEachFile(const std::vector<std::string>& inputs, Take&& take) {
  for (const std::string& input : inputs) {
    Error error;
    if (!fs::is_directory(input, error)) {
      SPILLWAY_RETURN_IF_ERROR(take(input));
      continue;
    }
    for (fs::recursive_directory_iterator at(input, error), end; !error && at != end;
         at.increment(error)) {
      const std::string name = at->path().filename().string();
      Error each;
      if (!name.starts_with('.') && !name.starts_with('_') && fs::is_regular_file(at->path(), each))
        SPILLWAY_RETURN_IF_ERROR(take(at->path().string()));
    }
  }
  return OkStatus();
}

Result<std::uint64_t> NumberOf(const std::string& name, const std::string& text) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end)
    return InvalidArgument(name + "=" + text + " is no number");
  return number;
}

bool IsJavaClass(const std::string& command) {
  return command == "aggregate" || command.starts_with("org.apache.hadoop.");
}

class Builder {
 public:
  Builder(const StreamingWords& job, const StreamingPlaces& places) : job_(job), places_(places) {}

  Result<std::vector<std::string>> Build() {
    words_ = {"run", "stream", "-o", places_.output, "--json=events"};
    for (const std::string& input : places_.inputs) Add({"-i", input});
    arguments_ = {"--", "--hadoop", "--directory=" + places_.directory};
    SPILLWAY_RETURN_IF_ERROR(AddFailures());
    SPILLWAY_RETURN_IF_ERROR(AddCommands());
    SPILLWAY_RETURN_IF_ERROR(AddInputFormat());
    SPILLWAY_RETURN_IF_ERROR(AddKeys());
    AddVariables();
    words_.insert(words_.end(), arguments_.begin(), arguments_.end());
    return std::move(words_);
  }

 private:
  void Add(std::initializer_list<std::string> words) { words_.insert(words_.end(), words); }
  void AddArgument(const std::string& name, const std::string& value) {
    arguments_.push_back(name + "=" + value);
  }

  Status AddFailures() {
    std::uint64_t attempts = 0;
    for (const char* name : {"mapreduce.map.maxattempts", "mapreduce.reduce.maxattempts"}) {
      if (job_.Property(name).empty()) continue;
      SPILLWAY_ASSIGN_OR_RETURN(const std::uint64_t number, NumberOf(name, job_.Property(name)));
      attempts = std::max(attempts, number);
    }
    if (attempts > 0) Add({"--retries", std::to_string(attempts - 1)});
    const std::string timeout = job_.Property("mapreduce.task.timeout");
    if (timeout.empty()) return OkStatus();
    SPILLWAY_ASSIGN_OR_RETURN(const std::uint64_t ms, NumberOf("mapreduce.task.timeout", timeout));
    Add({"--timeout", ms == 0 ? "8760h" : std::to_string(ms) + "ms"});  // 0: never.
    return OkStatus();
  }

  /// A command as /bin/sh is to run it. Its program is looked for among the shipped files first.
  Result<std::string> CommandText(const char* role, const std::string& command) const {
    if (IsJavaClass(command))
      return InvalidArgument(std::string(role) + " " + command +
                             " is a class of Java's, and is not served here");
    std::vector<std::string> words = SplitCommand(command);
    if (words.empty()) return InvalidArgument(std::string(role) + " is an empty command");
    if (places_.task_directory != nullptr && words[0].find('/') == std::string::npos &&
        places_.task_directory->Has(words[0]))
      words[0].insert(0, "./");
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : " ") + QuoteForShell(word);
    return text;
  }

  Status AddCommand(const char* role, const std::string& command) {
    SPILLWAY_ASSIGN_OR_RETURN(const std::string text, CommandText(role, command));
    AddArgument(std::string("-") + role, text);
    return OkStatus();
  }

  Status AddCommands() {
    constexpr const char* kIdentity = "org.apache.hadoop.mapred.lib.Identity";
    SPILLWAY_ASSIGN_OR_RETURN(const std::uint64_t reduces,
                              NumberOf("mapreduce.job.reduces", *job_.reduce_tasks));
    map_only_ = reduces == 0 || job_.reducer == "NONE";
    const std::string mapper = job_.mapper.value_or("cat");
    const bool keyed = job_.input_format == "KeyValueTextInputFormat";
    if (!job_.mapper && !keyed) return InvalidArgument("Missing required option: -mapper");
    SPILLWAY_RETURN_IF_ERROR(AddCommand(
        "-mapper", keyed && mapper == std::string(kIdentity) + "Mapper" ? "cat" : mapper));
    if (map_only_) {
      AddArgument("--reducer", "NONE");
      return OkStatus();
    }
    Add({"--reducers", std::to_string(reduces)});
    if (job_.combiner) SPILLWAY_RETURN_IF_ERROR(AddCommand("-combiner", *job_.combiner));
    if (job_.reducer && *job_.reducer != std::string(kIdentity) + "Reducer")
      SPILLWAY_RETURN_IF_ERROR(AddCommand("-reducer", *job_.reducer));
    return OkStatus();
  }

  Status AddInputFormat() {
    const std::string& format = job_.input_format;
    const bool lines = format == "NLineInputFormat";
    const bool keyed = format == "KeyValueTextInputFormat";
    if (format != "TextInputFormat" && !lines && !keyed)
      return InvalidArgument("-inputformat " + format +
                             " is not served here; there are TextInputFormat, NLineInputFormat and "
                             "KeyValueTextInputFormat");
    const std::string ignore =
        job_.Property("stream.map.input.ignoreKey", format == "TextInputFormat" ? "true" : "false");
    if (keyed && ignore == "true")
      return InvalidArgument("KeyValueTextInputFormat without its keys is not served here");
    if (keyed) arguments_.push_back("--input-tabs");
    if (!keyed && ignore != "true") arguments_.push_back("--offsets");
    return lines ? AddLineRuns() : OkStatus();
  }

  /// One line is work enough for a task of its own. Runs of several lines are counted from the
  /// beginning of a file, so a file is not cut then.
  Status AddLineRuns() {
    const std::string name = "mapreduce.input.lineinputformat.linespermap";
    SPILLWAY_ASSIGN_OR_RETURN(const std::uint64_t lines, NumberOf(name, job_.Property(name, "1")));
    AddArgument("--lines-per-run", std::to_string(lines));
    std::uint64_t total = 0, largest = 0;
    SPILLWAY_RETURN_IF_ERROR(ForEachFile(places_.inputs, [&](const std::string& path) -> Status {
      Error error;
      const std::uint64_t bytes = fs::file_size(path, error);
      if (error) return OkStatus();  // Whoever reads it will say so.
      total += bytes;
      largest = std::max(largest, bytes);
      return OkStatus();
    }));
    const std::uint64_t split = lines == 1 ? total / kLineTasks : largest;
    Add({"--split-size", std::to_string(std::max(split, kSplitBytesMin))});
    return OkStatus();
  }

  Status AddKeys() {
    const std::string separator = job_.Property("stream.map.output.field.separator", "\t");
    if (separator != "\t") {
      if (map_only_ || job_.combiner)
        return InvalidArgument(
            "stream.map.output.field.separator is served in jobs with reducers and without a "
            "combiner");
      AddArgument("--key-separator", separator);
    }
    const std::string fields = job_.Property("stream.num.map.output.key.fields", "1");
    if (fields != "1") AddArgument("--key-fields", fields);
    const std::string within = job_.Property("mapreduce.map.output.key.field.separator", "\t");
    if (within != "\t") AddArgument("--field-separator", within);
    if (job_.partitioner == "KeyFieldBasedPartitioner") {
      AddArgument("--partition-by", job_.Property("mapreduce.partition.keypartitioner.options"));
    } else if (!job_.partitioner.empty() && job_.partitioner != "HashPartitioner") {
      return InvalidArgument("-partitioner " + job_.partitioner +
                             " is not served here; there are HashPartitioner and "
                             "KeyFieldBasedPartitioner");
    }
    return AddOrder();
  }

  Status AddOrder() {
    const std::string name = job_.Property("mapreduce.job.output.key.comparator.class");
    if (name.empty()) return OkStatus();
    if (!name.ends_with(".KeyFieldBasedComparator"))
      return InvalidArgument("the comparator " + name +
                             " is not served here; there is KeyFieldBasedComparator");
    AddArgument("--order-by", job_.Property("mapreduce.partition.keycomparator.options"));
    return OkStatus();
  }

  void AddVariables() {
    AddArgument("--variable", "mapreduce_job_id=" + places_.job_id);
    for (const auto& [name, value] : job_.properties)
      if (name != "mapreduce.job.reduces")
        AddArgument("--variable", VariableName(name) + "=" + value);
    for (const std::string& variable : job_.variables) AddArgument("--variable", variable);
  }

  const StreamingWords& job_;
  const StreamingPlaces& places_;
  bool map_only_ = false;
  std::vector<std::string> words_;
  std::vector<std::string> arguments_;  ///< Of the plugin.
};

}  // namespace

Result<std::vector<std::string>> StreamingInputs(const StreamingWords& job,
                                                 const HadoopPaths& paths) {
  std::vector<std::string> inputs;
  for (const std::string& input : job.inputs) {
    const auto found = paths.Expand(input);
    if (found.status().code() == Code::kNotFound)
      return NotFound("Input Pattern " + input + " matches 0 files");
    SPILLWAY_RETURN_IF_ERROR(found.status());
    for (const HadoopPath& path : *found) {
      if (IsHiddenMatch(path.local, input)) continue;
      Error error;
      if (!fs::exists(path.local, error))
        return NotFound("Input path does not exist: " + path.shown);
      inputs.push_back(path.local);
    }
  }
  SPILLWAY_RETURN_IF_ERROR(ForEachFile(inputs, CheckText));
  return inputs;
}

Result<std::vector<std::string>> StreamingCommand(const StreamingWords& job,
                                                  const StreamingPlaces& places) {
  return Builder(job, places).Build();
}

}  // namespace spillway
