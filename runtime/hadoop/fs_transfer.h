// The subcommands of `hadoop fs` that copy bytes: -put, -get, -cp, -mv, -cat, -getmerge. Each
// returns the exit code. A copy appears under its name when it is whole.
#pragma once

#include "runtime/hadoop/fs_command.h"

namespace spillway {

int FsPut(const FsWords& words, const FsShell& shell);
int FsGet(const FsWords& words, const FsShell& shell);
int FsCopy(const FsWords& words, const FsShell& shell);
int FsMove(const FsWords& words, const FsShell& shell);
int FsCat(const FsWords& words, const FsShell& shell);
int FsText(const FsWords& words, const FsShell& shell);
int FsGetMerge(const FsWords& words, const FsShell& shell);

}  // namespace spillway
