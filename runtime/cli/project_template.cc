#include "runtime/cli/project_template.h"

#include <algorithm>
#include <array>
#include <boost/filesystem.hpp>
#include <fstream>
#include <iterator>
#include <string_view>

#include "mapreduce/base/units.h"

namespace spillway {
namespace {

namespace fs = boost::filesystem;

constexpr std::string_view kTemplateName = "my_job";
constexpr std::size_t kNameBytesMax = 64;
// CMake has targets of these names already.
constexpr std::array<std::string_view, 11> kTargetsOfCMake = {
    "all",     "clean",          "depend",     "edit_cache",    "help", "install",
    "package", "package_source", "preinstall", "rebuild_cache", "test"};

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsNameByte(char c) { return IsLetter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-'; }

std::string Renamed(std::string text, const std::string& name) {
  for (std::size_t at = 0; (at = text.find(kTemplateName, at)) != std::string::npos;
       at += name.size())
    text.replace(at, kTemplateName.size(), name);
  return text;
}

Status CopyRenamed(const fs::path& from, const fs::path& to, const std::string& name) {
  std::ifstream in(from.string(), std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!in) return NotFound("the template '" + from.string() + "' cannot be read");
  std::ofstream out(to.string(), std::ios::binary);
  out << Renamed(text, name) << std::flush;
  if (!out) return ResourceExhausted("'" + EscapeForLog(to.string()) + "' cannot be written");
  return OkStatus();
}

Status CopyTree(const fs::path& from, const fs::path& to, const std::string& name) {
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(from)) {
    const fs::path place = to / Renamed(entry.path().lexically_relative(from).string(), name);
    if (fs::is_directory(entry.status())) {
      fs::create_directory(place);
    } else {
      SPILLWAY_RETURN_IF_ERROR(CopyRenamed(entry.path(), place, name));
    }
  }
  return OkStatus();
}

}  // namespace

Result<ProjectNames> ProjectNamesOf(const std::string& word) {
  std::string directory = word;
  while (directory.size() > 1 && directory.back() == '/') directory.pop_back();
  const std::string name = directory.substr(directory.rfind('/') + 1);
  if (name.empty() || !IsLetter(name[0]) || !std::all_of(name.begin(), name.end(), IsNameByte))
    return InvalidArgument("'" + EscapeForLog(name) +
                           "' cannot name a project. Use letters, digits, '_' and '-', with a "
                           "letter first.");
  if (name.size() > kNameBytesMax)
    return InvalidArgument("a project's name has at most " + std::to_string(kNameBytesMax) +
                           " letters; this one has " + std::to_string(name.size()) + ".");
  if (std::find(kTargetsOfCMake.begin(), kTargetsOfCMake.end(), name) != kTargetsOfCMake.end())
    return InvalidArgument("'" + name +
                           "' cannot name a project: CMake has a target of that name. Choose "
                           "another, such as 'my_" +
                           name + "'.");
  return ProjectNames{directory, name};
}

Status WriteProject(const std::string& template_dir, const ProjectNames& project) {
  boost::system::error_code error;
  if (!fs::is_directory(template_dir, error))
    return NotFound("the templates of projects are not at '" + template_dir +
                    "'. They come with the package spillway-dev, or with 'cmake --install'.");
  const fs::path directory(project.directory);
  if (!fs::create_directories(directory, error)) {
    if (!error)
      return AlreadyExists("'" + EscapeForLog(project.directory) +
                           "' exists. Choose another name, or move it away.");
    return PermissionDenied("'" + EscapeForLog(project.directory) +
                            "' cannot be made: " + error.message());
  }
  Status status;
  try {
    status = CopyTree(template_dir, directory, project.name);
  } catch (const fs::filesystem_error& thrown) {
    status = ResourceExhausted(thrown.what());
  }
  if (!status.ok()) fs::remove_all(directory, error);
  return status;
}

}  // namespace spillway
