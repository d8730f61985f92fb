// LoopFile: what a round of an iterative job in disk mode is told, and leaves for the next one: the
// round's number and its state, with a checksum. docs/formats/loop.md is the format. Pure; any
// thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "mapreduce/base/coding.h"
#include "mapreduce/base/status.h"
#include "mapreduce/base/xxh64.h"

namespace spillway {

struct LoopFile {
  static constexpr std::string_view kMagic = "SPLWLOOP";
  static constexpr std::uint32_t kVersion = 2;
  static constexpr std::size_t kHeadBytes = 32;
  static constexpr std::size_t kHashBytes = 8;  ///< Behind the state.

  std::uint32_t round = 0;
  std::uint32_t rounds_max = 0;
  std::string_view state;  ///< As saved; empty in round 0.

  std::string Encode() const {
    std::string bytes(kHeadBytes, '\0');
    char* to = bytes.data();
    kMagic.copy(to, kMagic.size());
    to = StoreLittle(to + kMagic.size(), kVersion);
    to = StoreLittle(to, round);
    to = StoreLittle(to, rounds_max);
    to = StoreLittle(to, std::uint32_t{0});
    StoreLittle(to, std::uint64_t{state.size()});
    bytes.append(state);
    char hash[kHashBytes];
    StoreLittle(hash, Xxh64(bytes));
    return bytes.append(hash, sizeof hash);
  }

  /// A view of `bytes`. DataLoss: no such file, not a whole one, or a damaged one.
  static Result<LoopFile> Parse(std::string_view bytes) {
    if (bytes.size() < kHeadBytes + kHashBytes || !bytes.starts_with(kMagic))
      return DataLoss("the file with a loop's state is none, or its head is not whole");
    const char* const head = bytes.data();
    if (LoadLittle<std::uint32_t>(head + 8) != kVersion)
      return DataLoss("the file with a loop's state has version " +
                      std::to_string(LoadLittle<std::uint32_t>(head + 8)) + ", not " +
                      std::to_string(kVersion));
    LoopFile file;
    file.round = LoadLittle<std::uint32_t>(head + 12);
    file.rounds_max = LoadLittle<std::uint32_t>(head + 16);
    const std::string_view hashed = bytes.substr(0, bytes.size() - kHashBytes);
    file.state = hashed.substr(kHeadBytes);
    if (LoadLittle<std::uint64_t>(head + 24) != file.state.size())
      return DataLoss("the file with a loop's state has " + std::to_string(file.state.size()) +
                      " bytes of state instead of " +
                      std::to_string(LoadLittle<std::uint64_t>(head + 24)));
    if (Xxh64(hashed) != LoadLittle<std::uint64_t>(head + hashed.size()))
      return DataLoss("the file with a loop's state is damaged: its checksum is another one");
    return file;
  }
};

}  // namespace spillway
