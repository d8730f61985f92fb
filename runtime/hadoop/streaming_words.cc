#include "runtime/hadoop/streaming_words.h"

#include <algorithm>

#include "runtime/hadoop/streaming_properties.h"

namespace spillway {
namespace {

constexpr std::string_view kSafeLetters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./,:+@%=";

/// Options whose jobs would need Java, or that ask for what is not here.
constexpr std::pair<std::string_view, std::string_view> kRefused[] = {
    {"-libjars", "there is no Java here to load them"},
    {"-inputreader", "input is read by lines"},
    {"-io", "commands speak text, by lines"},
    {"-conf", "give its properties by -D"},
    {"-lazyOutput", "empty parts are written here, as without it"},
    {"-background", "the command waits for the job"},
    {"-mapdebug", "a task's last words are shown where it fails"},
    {"-reducedebug", "a task's last words are shown where it fails"},
    {"-fs", "SPILLWAY_HADOOP_ROOT says where paths lie"},
    {"-jt", "SPILLWAY_ON says on which cluster a job runs"},
};

std::string BaseName(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return std::string(path.substr(path.rfind('/') + 1));
}

/// The class's own name: org.apache.hadoop.mapred.lib.NLineInputFormat is NLineInputFormat.
std::string ClassName(std::string_view name) {
  return std::string(name.substr(name.rfind('.') + 1));
}

/// Cuts at commas, but not within {a,b}.
std::vector<std::string> SplitCommas(std::string_view text) {
  std::vector<std::string> pieces(1);
  int depth = 0;
  for (const char c : text) {
    depth += (c == '{') - (c == '}');
    if (c == ',' && depth <= 0) {
      pieces.emplace_back();
    } else {
      pieces.back() += c;
    }
  }
  std::erase(pieces, "");
  return pieces;
}

void AddShipped(std::string_view text, std::vector<ShippedFile>* files) {
  for (const std::string& piece : SplitCommas(text)) {
    const std::size_t hash = piece.find('#');
    const std::string source = piece.substr(0, hash);
    files->push_back(
        {source, hash == std::string::npos ? BaseName(source) : piece.substr(hash + 1)});
  }
}

bool IsStreamingJar(std::string_view path) {
  const std::string name = BaseName(path);
  return name.starts_with("hadoop") && name.find("streaming") != std::string::npos &&
         name.ends_with(".jar");
}

class Reader {
 public:
  explicit Reader(const std::vector<std::string>& words) : words_(words) {}

  Result<StreamingWords> Read() {
    for (at_ = 1; at_ < words_.size(); ++at_) SPILLWAY_RETURN_IF_ERROR(ReadOption(words_[at_]));
    SPILLWAY_RETURN_IF_ERROR(Finish());
    return std::move(job_);
  }

 private:
  Status ReadOption(const std::string& option) {
    for (const auto& [name, why] : kRefused)
      if (option == name)
        return InvalidArgument(option + " is not served here: " + std::string(why));
    if (option == "-verbose") return OkStatus();
    if (option.starts_with("-D") && option.size() > 2) return AddProperty(option.substr(2));
    if (at_ + 1 == words_.size() || !IsKnown(option))
      return InvalidArgument(IsKnown(option) ? option + " is without its value"
                                             : "Unrecognized option: " + option);
    return ReadValue(option, words_[++at_]);
  }

  static bool IsKnown(std::string_view option) {
    constexpr std::string_view kKnown[] = {
        "-D",           "-jobconf",      "-input",         "-output",       "-mapper",
        "-combiner",    "-reducer",      "-reduce",        "-file",         "-files",
        "-cacheFile",   "-archives",     "-cmdenv",        "-cacheArchive", "-inputformat",
        "-partitioner", "-outputformat", "-numReduceTasks"};
    return std::find(std::begin(kKnown), std::end(kKnown), option) != std::end(kKnown);
  }

  Status ReadValue(const std::string& option, const std::string& value) {
    if (option == "-D" || option == "-jobconf") return AddProperty(value);
    if (option == "-outputformat")
      return ClassName(value) == "TextOutputFormat"
                 ? OkStatus()
                 : InvalidArgument("-outputformat " + value +
                                   " is not served here; output is text, by lines");
    if (option == "-input") {
      for (std::string& piece : SplitCommas(value)) job_.inputs.push_back(std::move(piece));
    } else if (option == "-file") {
      job_.files.push_back({value, BaseName(value)});
    } else if (option == "-files" || option == "-cacheFile") {
      AddShipped(value, &job_.files);
    } else if (option == "-archives" || option == "-cacheArchive") {
      AddShipped(value, &job_.archives);
    } else if (option == "-cmdenv") {
      if (value.find('=') == std::string::npos)
        return InvalidArgument("-cmdenv " + value + ": write NAME=VALUE");
      job_.variables.push_back(value);
    } else {
      ReadWord(option, value);
    }
    return OkStatus();
  }

  void ReadWord(const std::string& option, const std::string& value) {
    if (option == "-output") job_.output = value;
    if (option == "-mapper") job_.mapper = value;
    if (option == "-combiner") job_.combiner = value;
    if (option == "-reducer" || option == "-reduce") job_.reducer = value;
    if (option == "-numReduceTasks") job_.reduce_tasks = value;
    if (option == "-partitioner") job_.partitioner = ClassName(value);
    if (option == "-inputformat") job_.input_format = ClassName(value);
  }

  Status AddProperty(const std::string& text) {
    const std::size_t equals = text.find('=');
    if (equals == 0 || equals == std::string::npos)
      return InvalidArgument("-D " + text + ": write NAME=VALUE");
    job_.properties[PresentName(text.substr(0, equals))] = text.substr(equals + 1);
    return OkStatus();
  }

  Status Finish() {
    if (job_.inputs.empty()) return InvalidArgument("Missing required option: -input");
    if (job_.output.empty()) return InvalidArgument("Missing required option: -output");
    if (!job_.reduce_tasks) job_.reduce_tasks = job_.Property("mapreduce.job.reduces", "1");
    return CheckProperties(job_.properties);
  }

  const std::vector<std::string>& words_;
  std::size_t at_ = 0;
  StreamingWords job_;
};

}  // namespace

std::string StreamingWords::Property(const std::string& name, const std::string& otherwise) const {
  const auto found = properties.find(name);
  return found != properties.end() ? found->second : otherwise;
}

Result<StreamingWords> ReadStreamingWords(const std::vector<std::string>& words) {
  if (words.empty())
    return InvalidArgument("which jar? Write hadoop jar hadoop-streaming.jar [options]");
  if (!IsStreamingJar(words[0]))
    return InvalidArgument("'" + words[0] +
                           "' is not the streaming jar, and others need Java. For a job in C++ see "
                           "'spillway run'.");
  return Reader(words).Read();
}

std::vector<std::string> SplitCommand(std::string_view command) {
  std::vector<std::string> words;
  std::string word;
  char quote = '\0';
  for (const char c : command) {
    const bool closes = quote != '\0' && c == quote;
    const bool opens = quote == '\0' && (c == '\'' || c == '"');
    if (!closes && !opens && (quote != '\0' || c != ' ')) {
      word += c;
      continue;
    }
    // A quote ends the word before it, too: Hadoop has a'b c' as two words.
    if (!word.empty()) words.push_back(std::move(word));
    word.clear();
    quote = opens ? c : '\0';
  }
  if (!word.empty()) words.push_back(std::move(word));
  return words;
}

std::string QuoteForShell(std::string_view word) {
  if (!word.empty() && word.find_first_not_of(kSafeLetters) == std::string_view::npos &&
      word.find('=') == std::string_view::npos)
    return std::string(word);
  std::string quoted = "'";
  for (const char c : word) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

}  // namespace spillway
