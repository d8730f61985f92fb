// The machine in words, to stand beside figures: processor, cores, memory, kernel. Reads /proc.
#pragma once

#include <string>

namespace spillway {

std::string MachineText();

}  // namespace spillway
