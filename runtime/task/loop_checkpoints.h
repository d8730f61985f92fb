// LoopCheckpoints: states of a loop, as files in the staging directory of its job, for whoever goes
// on from there. docs/formats/loop.md is the format. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "mapreduce/base/file_system.h"
#include "mapreduce/base/status.h"

namespace spillway {

class LoopCheckpoints {
 public:
  /// `files` outlives this. `durable`: what is written survives a power cut.
  LoopCheckpoints(FileSystem& files, std::string staging_dir, bool durable)
      : files_(files), staging_dir_(std::move(staging_dir)), durable_(durable) {}

  /// The state of the round, as the plugin saved it: aside, then in its place, where another one
  /// that is whole stays, since it is the same. `writer` tells apart who might write at once.
  Status Write(std::uint32_t round, std::uint32_t writer, std::string_view state) const;
  /// The state in the bytes of the file at `path`, which is for messages. DataLoss: it is not
  /// whole, or of another round.
  static Result<std::string_view> Parse(std::string_view bytes, std::uint32_t round,
                                        const std::string& path);

  /// DataLoss: the file is not whole. NotFound: there is none.
  Result<std::string> Read(std::uint32_t round) const;
  /// The file, if there is one.
  void Remove(std::uint32_t round) const;

 private:
  std::string PathOf(std::uint32_t round) const;
  Status WriteFile(const std::string& path, std::string_view bytes) const;

  FileSystem& files_;
  const std::string staging_dir_;
  const bool durable_;
};

}  // namespace spillway
