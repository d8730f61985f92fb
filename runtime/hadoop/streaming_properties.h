// The properties (-D NAME=VALUE) of a streaming job: their present names, and those whose values
// would change a result that the stand-in could not give. Constant data and pure functions.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "mapreduce/base/status.h"

namespace spillway {

/// The name that Hadoop 2 and later use for what had another one before.
std::string PresentName(std::string_view name);

/// InvalidArgument for a property that is not served with this value. Others that a job does not
/// know of are no more than variables for its commands.
Status CheckProperties(const std::map<std::string, std::string>& properties);

/// The name as a variable of the environment: what is neither letter nor digit becomes '_'.
std::string VariableName(std::string_view property);

}  // namespace spillway
