// JobFiles: a directory of input files for jobs with the real plugins, removed at the end.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <boost/filesystem.hpp>
#include <fstream>
#include <map>
#include <random>
#include <sstream>
#include <string>

#include "runtime/local/job_runner.h"
#include "tests/places.h"

namespace spillway {

class JobFiles {
 public:
  JobFiles() {
    char path[] = "/tmp/spillway_client_XXXXXX";
    directory_ = ::mkdtemp(path);
  }
  ~JobFiles() { boost::filesystem::remove_all(directory_); }

  std::string Path(const std::string& name) const { return directory_ + "/" + name; }

  void Write(const std::string& name, const std::string& content) const {
    std::ofstream(Path(name), std::ios::binary) << content;
  }

  /// Lines of words from a small vocabulary.
  void WriteWords(const std::string& name, std::uint32_t seed, int lines) const {
    std::mt19937 random(seed);
    std::string text;
    for (int line = 0; line < lines; ++line) {
      for (int word = 0; word < 8; ++word)
        text += "w" + std::to_string(random() % 997) + (word == 7 ? "\n" : " ");
    }
    Write(name, text);
  }

  /// Records of 100 bytes, as tera_sort wants them.
  void WriteRecords(const std::string& name, std::uint32_t seed, int records) const {
    std::mt19937 random(seed);
    std::string bytes;
    for (int i = 0; i < records * 100; ++i) bytes += static_cast<char>(random());
    Write(name, bytes);
  }

  JobRequest Request(const std::string& plugin, const std::string& output) const {
    JobRequest request;
    request.plugin_path = BuiltInPlugin(plugin);
    request.inputs = {Path("a"), Path("b")};
    request.output_dir = Path(output);
    request.reducers = 3;
    request.threads = 2;
    request.memory_bytes = 1 << 30;  // Sanitizers are large before anything begins.
    request.split_bytes = 16 << 10;
    request.durable = false;
    return request;
  }

  /// The parts of an output by name.
  std::map<std::string, std::string> Parts(const std::string& output) const {
    std::map<std::string, std::string> parts;
    boost::system::error_code error;
    for (const auto& entry : boost::filesystem::directory_iterator(Path(output), error)) {
      const std::string name = entry.path().filename().string();
      if (!name.starts_with("part-")) continue;
      std::ostringstream text;
      text << std::ifstream(entry.path().string(), std::ios::binary).rdbuf();
      parts[name] = text.str();
    }
    return parts;
  }

 private:
  std::string directory_;
};

}  // namespace spillway
