// Completion of the command line in bash, zsh and fish, made from the option table. Pure.
#pragma once

#include <string>

namespace spillway {

std::string BashCompletion();
std::string ZshCompletion();
std::string FishCompletion();

}  // namespace spillway
