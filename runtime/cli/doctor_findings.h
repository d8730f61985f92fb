// DoctorFindings: what a job on this machine would meet, looked at one by one: limits, disks, keys,
// the installation. Each finding says what to do when it is no good. Looks at the machine; changes
// nothing. One thread.
#pragma once

#include <string>
#include <vector>

#include "mapreduce/base/status.h"
#include "runtime/cli/settings.h"
#include "runtime/cli/shell.h"

namespace spillway {

enum class Health { kGood, kWarning, kBad };

struct Finding {
  std::string subject;  ///< "open files".
  Health health = Health::kGood;
  std::string text;  ///< A value, or a sentence.
};

/// In the order in which they are shown.
std::vector<Finding> ExamineMachine(const Shell& shell, const Settings& settings);

/// A directory for spills: that it is there, can be written, has room and is a disk.
Finding ExamineSpillDirectory(const std::string& directory, std::uint64_t memory_bytes);

/// The secrets of `directory`; `key` as in --key, or "".
Finding ExamineKeys(const std::string& directory, const std::string& key);

/// How many files a process may open, by its soft and hard limit.
Finding ExamineOpenFiles(std::uint64_t soft, std::uint64_t hard);

}  // namespace spillway
