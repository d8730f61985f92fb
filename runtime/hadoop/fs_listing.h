// The subcommands of `hadoop fs` that tell of files: -ls, -du, -stat, -test. Each returns the exit
// code.
#pragma once

#include "runtime/hadoop/fs_command.h"

namespace spillway {

int FsList(const FsWords& words, const FsShell& shell);
int FsDiskUsage(const FsWords& words, const FsShell& shell);
int FsStat(const FsWords& words, const FsShell& shell);
int FsTest(const FsWords& words, const FsShell& shell);

/// The entries of a directory by name.
std::vector<HadoopPath> EntriesOf(const HadoopPath& directory);

}  // namespace spillway
