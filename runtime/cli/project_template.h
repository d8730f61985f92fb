// ProjectTemplate: a project of a user's own, made from one of examples/templates. Each of them is
// a project that builds as it stands, named my_job; a copy has that name replaced, in the names of
// its files and in what they say. Whoever calls waits for the disk.
#pragma once

#include <string>

#include "mapreduce/base/status.h"

namespace spillway {

struct ProjectNames {
  std::string directory;  ///< As given.
  std::string name;       ///< Its last part: the name of the job and of its files.
};

/// "jobs/clicks" is a project clicks in jobs/. InvalidArgument when the name could not be a file's
/// and a CMake target's: letters, digits, '_' and '-', with a letter first.
Result<ProjectNames> ProjectNamesOf(const std::string& word);

/// Makes the directory and all files in it, or leaves nothing. AlreadyExists when it is there.
Status WriteProject(const std::string& template_dir, const ProjectNames& project);

}  // namespace spillway
