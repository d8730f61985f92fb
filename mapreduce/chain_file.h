// ChainFile: where the stages of a chain have left their outputs: the side file `spillway.chain`
// that every stage of a chain is given, with a line `stage-N TAB DIRECTORY` for each stage that has
// ended. Of a stage that is repeated it is the round that ended last, in that stage's own rounds as
// well. Values; any thread.
#pragma once

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <map>
#include <string>
#include <string_view>

#include "mapreduce/abi.h"
#include "mapreduce/base/status.h"
#include "mapreduce/task_context.h"

namespace spillway {

class ChainFile {
 public:
  void SetStage(std::uint32_t stage, const std::string& directory) {
    places_["stage-" + std::to_string(stage)] = directory;
  }

  std::string Text() const {
    std::string text;
    for (const auto& [name, place] : places_) text += name + "\t" + place + "\n";
    return text;
  }

  /// Of the chain whose task this is.
  static Result<ChainFile> Read(const TaskContext& context) {
    SPILLWAY_ASSIGN_OR_RETURN(const std::string path, context.side_file(SPILLWAY_CHAIN_FILE));
    std::ifstream in(path, std::ios::binary);
    if (!in) return Unavailable(path + " cannot be opened: " + std::strerror(errno));
    ChainFile file;
    for (std::string line; std::getline(in, line);) {
      const std::size_t tab = line.find('\t');
      if (tab == std::string::npos) return BadData(path + " is no file of a chain");
      file.places_[line.substr(0, tab)] = line.substr(tab + 1);
    }
    if (in.bad()) return DataLoss(path + " cannot be read");
    return file;
  }

  /// NotFound: the stage has not ended.
  Result<std::string> DirectoryOf(std::uint32_t stage) const {
    const auto found = places_.find("stage-" + std::to_string(stage));
    if (found == places_.end())
      return NotFound("stage " + std::to_string(stage) + " of the chain has left no output");
    return found->second;
  }

  /// Whether the path lies in the output of the stage.
  bool IsOf(std::string_view path, std::uint32_t stage) const {
    const auto directory = DirectoryOf(stage);
    return directory.ok() && path.size() > directory->size() && path.starts_with(*directory) &&
           path[directory->size()] == '/';
  }

 private:
  std::map<std::string, std::string> places_;
};

}  // namespace spillway
