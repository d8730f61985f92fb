#include "runtime/hadoop/streaming_properties.h"

#include <cctype>
#include <utility>

namespace spillway {
namespace {

constexpr std::pair<std::string_view, std::string_view> kOldNames[] = {
    {"mapred.reduce.tasks", "mapreduce.job.reduces"},
    {"mapred.map.tasks", "mapreduce.job.maps"},
    {"mapred.job.name", "mapreduce.job.name"},
    {"mapred.text.key.partitioner.options", "mapreduce.partition.keypartitioner.options"},
    {"mapred.text.key.comparator.options", "mapreduce.partition.keycomparator.options"},
    {"map.output.key.field.separator", "mapreduce.map.output.key.field.separator"},
    {"mapred.output.key.comparator.class", "mapreduce.job.output.key.comparator.class"},
    {"mapred.partitioner.class", "mapreduce.job.partitioner.class"},
    {"mapred.input.format.class", "mapreduce.job.inputformat.class"},
    {"mapred.output.format.class", "mapreduce.job.outputformat.class"},
    {"mapred.line.input.format.linespermap", "mapreduce.input.lineinputformat.linespermap"},
    {"mapred.map.max.attempts", "mapreduce.map.maxattempts"},
    {"mapred.reduce.max.attempts", "mapreduce.reduce.maxattempts"},
    {"mapred.task.timeout", "mapreduce.task.timeout"},
    {"mapred.output.compress", "mapreduce.output.fileoutputformat.compress"},
    {"mapred.textoutputformat.separator", "mapreduce.output.textoutputformat.separator"},
    {"mapred.output.value.groupfn.class", "mapreduce.job.output.group.comparator.class"},
    {"mapred.input.dir", "mapreduce.input.fileinputformat.inputdir"},
    {"mapred.output.dir", "mapreduce.output.fileoutputformat.outputdir"},
};

/// Served with this one value, which is also the default.
struct FixedProperty {
  std::string_view name, value;
};
constexpr FixedProperty kFixed[] = {
    {"mapreduce.output.fileoutputformat.compress", "false"},
    {"mapreduce.output.textoutputformat.separator", "\t"},
    {"stream.map.input.field.separator", "\t"},
    {"stream.reduce.input.field.separator", "\t"},
    {"stream.reduce.output.field.separator", "\t"},
    {"stream.non.zero.exit.is.failure", "true"},
    {"stream.stderr.reporter.enabled", "true"},
    {"stream.stderr.reporter.prefix", "reporter:"},
    {"stream.map.input", "text"},
    {"stream.map.output", "text"},
    {"stream.reduce.input", "text"},
    {"stream.reduce.output", "text"},
};

/// Options say the same, and are read.
constexpr std::string_view kSayByOption[] = {
    "mapreduce.job.partitioner.class",
    "mapreduce.job.inputformat.class",
    "mapreduce.job.outputformat.class",
    "mapreduce.input.fileinputformat.inputdir",
    "mapreduce.job.output.group.comparator.class",
    "mapreduce.output.fileoutputformat.outputdir",
    "textinputformat.record.delimiter",
};

/// Read by the stand-in, or without an effect on text.
constexpr std::string_view kStreamKnown[] = {
    "stream.map.output.field.separator", "stream.num.map.output.key.fields",
    "stream.num.reduce.output.key.fields", "stream.map.input.ignoreKey", "stream.tmpdir"};

}  // namespace

std::string PresentName(std::string_view name) {
  for (const auto& [old_name, present] : kOldNames)
    if (name == old_name) return std::string(present);
  return std::string(name);
}

std::string VariableName(std::string_view property) {
  std::string name(property);
  for (char& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  return name;
}

Status CheckProperties(const std::map<std::string, std::string>& properties) {
  for (const auto& [name, value] : properties) {
    bool known = !name.starts_with("stream.");
    for (const std::string_view one : kStreamKnown) known |= name == one;
    for (const FixedProperty& fixed : kFixed) {
      if (name != fixed.name) continue;
      if (value != fixed.value)
        return InvalidArgument("-D " + name + "=" + value + " is not served here" +
                               (fixed.value == "\t" ? "; the separator is a TAB"
                                                    : "; it is " + std::string(fixed.value)));
      known = true;
    }
    for (const std::string_view one : kSayByOption)
      if (name == one) known = false;
    if (!known) return InvalidArgument("-D " + name + " is not served here");
  }
  return OkStatus();
}

}  // namespace spillway
