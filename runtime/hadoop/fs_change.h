// The subcommands of `hadoop fs` that make and remove names: -mkdir, -rm, -touchz. Each returns the
// exit code.
#pragma once

#include "runtime/hadoop/fs_command.h"

namespace spillway {

int FsMakeDirectory(const FsWords& words, const FsShell& shell);
int FsRemove(const FsWords& words, const FsShell& shell);
int FsTouch(const FsWords& words, const FsShell& shell);

}  // namespace spillway
