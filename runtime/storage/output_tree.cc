#include "runtime/storage/output_tree.h"

#include <algorithm>
#include <cstdio>
#include <set>

#include "mapreduce/base/units.h"
#include "mapreduce/output_path.h"

namespace spillway {

namespace {

std::string Hex(std::uint64_t number) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(number));
  return text;
}

Status CheckParts(std::span<const CommittedPart> winners, std::uint32_t parts) {
  std::set<std::pair<bool, std::uint32_t>> seen;
  for (const CommittedPart& winner : winners)
    if (!seen.emplace(winner.of_map, winner.part).second)
      return InternalError(PartName(winner.part, winner.of_map) + " was committed twice");
  for (std::uint32_t part = 0; part < parts; ++part)
    if (!seen.contains({false, part}))
      return InternalError(PartName(part) + " was never committed");
  const auto of_reduces = std::count_if(winners.begin(), winners.end(),
                                        [](const CommittedPart& w) { return !w.of_map; });
  if (static_cast<std::uint64_t>(of_reduces) == parts) return OkStatus();
  return InternalError("the job has only " + std::to_string(parts) + " parts");
}

}  // namespace

Result<OutputTree> OutputTree::Of(std::span<const CommittedPart> winners, std::uint32_t parts,
                                  bool has_parts) {
  SPILLWAY_RETURN_IF_ERROR(CheckParts(winners, parts));
  OutputTree tree;
  tree.directories_[""];
  for (const CommittedPart& winner : winners) {
    const auto file = [&](const auto& info, std::optional<std::uint32_t> number) {
      return OutputFile{
          PartName(winner.part, winner.of_map),
          PartAttemptPath("", winner.part, winner.attempt, winner.of_map, number).substr(1),
          info.bytes, info.records, info.xxh3};
    };
    if (!winner.of_map && has_parts) tree.directories_[""].push_back(file(winner.info, {}));
    for (std::uint32_t i = 0; i < winner.info.directories.size(); ++i) {
      const DirectoryPart& part = winner.info.directories[i];
      // It was checked where it was written; this is who would make a file elsewhere.
      if (const std::string why = WhyNoOutputPath(part.directory); !why.empty())
        return InvalidArgument("'" + EscapeForLog(part.directory) +
                               "' is no directory of an output: " + why);
      tree.directories_[part.directory].push_back(file(part, i));
    }
  }
  for (auto& [directory, files] : tree.directories_)
    std::sort(files.begin(), files.end(),
              [](const OutputFile& a, const OutputFile& b) { return a.name < b.name; });
  return tree;
}

std::vector<std::string> OutputTree::LevelsBetween() const {
  std::set<std::string> levels;
  for (const auto& [directory, files] : directories_)
    for (std::size_t slash = directory.find('/'); slash != std::string::npos;
         slash = directory.find('/', slash + 1))
      if (!directories_.contains(directory.substr(0, slash)))
        levels.insert(directory.substr(0, slash));
  return {levels.begin(), levels.end()};
}

std::string OutputTree::ManifestOf(const std::string& directory, const std::string& head) const {
  std::string manifest = "{\n  \"format\": 1,\n" + head + "  \"parts\": [";
  const char* separator = "\n";
  for (const OutputFile& file : directories_.at(directory)) {
    manifest += separator;
    separator = ",\n";
    manifest += "    {\"name\": \"" + file.name + "\", \"bytes\": " + std::to_string(file.bytes) +
                ", \"records\": " + std::to_string(file.records) + ", \"xxh3\": \"" +
                Hex(file.xxh3) + "\"}";
  }
  manifest += "\n  ]";
  return manifest + "\n}\n";
}

}  // namespace spillway
