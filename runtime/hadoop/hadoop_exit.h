// The exit codes of the stand-in itself, with the meaning that they have for the spillway command,
// whose own pass through it.
#pragma once

namespace spillway {

inline constexpr int kHadoopUsage = 64;    ///< The command line is wrong, or not known here.
inline constexpr int kHadoopNoInput = 66;  ///< An input or a shipped file is missing.
inline constexpr int kHadoopDisk = 74;

}  // namespace spillway
