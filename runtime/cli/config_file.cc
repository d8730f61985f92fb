#include "runtime/cli/config_file.h"

// toml++ is compiled in here rather than linked: one library less to load at every start.
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include <boost/filesystem.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "mapreduce/base/name_suggestion.h"
#include "mapreduce/base/units.h"
#include "runtime/cli/option_value.h"

namespace spillway {
namespace {

std::string Place(const std::string& path, const toml::source_region& source) {
  return path + ":" + std::to_string(source.begin.line);
}

/// A scalar as the text that an option would have; nothing for types that no setting has.
std::optional<std::string> ScalarText(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* truth = node.as_boolean()) return truth->get() ? "true" : "false";
  return std::nullopt;
}

Status UnknownKey(std::string_view key, const std::string& place) {
  std::vector<std::string> names;
  for (const OptionSpec* setting : AllSettings()) names.emplace_back(setting->name);
  return InvalidArgument(place + ": unknown key '" + EscapeForLog(key) + "'." +
                         DidYouMean(key, names));
}

Status AddScalar(const toml::node& node, const std::string& place, SettingValue* setting) {
  const std::string where = place + ": " + std::string(setting->option->name);
  const auto text = ScalarText(node);
  if (!text) return InvalidArgument(where + ": give text, a whole number, true or false.");
  SPILLWAY_RETURN_IF_ERROR(CheckOptionValue(*setting->option, *text, where));
  setting->values.push_back(*text);
  return OkStatus();
}

Result<SettingValue> ReadSetting(std::string_view key, const toml::node& node,
                                 const std::string& place, const std::string& path) {
  SettingValue setting;
  setting.option = FindSetting(key);
  setting.origin = place;
  if (setting.option == nullptr) return UnknownKey(key, place);
  const toml::array* array = node.as_array();
  if (array == nullptr) {
    SPILLWAY_RETURN_IF_ERROR(AddScalar(node, place, &setting));
    return setting;
  }
  if (!setting.option->repeats || array->empty())
    return InvalidArgument(
        place + ": " + std::string(key) +
        (array->empty() ? ": the list is empty." : ": give one value, no list."));
  for (const toml::node& element : *array)
    SPILLWAY_RETURN_IF_ERROR(AddScalar(element, Place(path, element.source()), &setting));
  return setting;
}

}  // namespace

Result<std::vector<SettingValue>> ParseConfigFile(std::string_view content,
                                                  const std::string& path) {
  const toml::parse_result parsed = toml::parse(content, path);
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    return InvalidArgument(Place(path, error.source()) +
                           ": this is not valid TOML: " + std::string(error.description()) + ".");
  }
  std::vector<SettingValue> settings;
  for (const auto& [key, node] : parsed.table()) {
    SPILLWAY_ASSIGN_OR_RETURN(SettingValue setting,
                              ReadSetting(key.str(), node, Place(path, key.source()), path));
    settings.push_back(std::move(setting));
  }
  return settings;
}

Result<std::vector<SettingValue>> ReadConfigFile(const std::string& path) {
  // What has no end is not read to its end.
  boost::system::error_code error;
  if (boost::filesystem::is_other(boost::filesystem::status(path, error)))
    return InvalidArgument(path + ": is a pipe or a device; settings lie in a file.");
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  if (file) content << file.rdbuf();
  // A directory opens but does not read; an empty file reads but inserts nothing.
  if (!file.is_open() || file.bad() || errno == EISDIR) {
    const int cause = errno;
    if (cause == ENOENT || cause == ENOTDIR) return NotFound(path + ": no such file");
    return InvalidArgument(path + ": cannot be read: " + std::strerror(cause) + ".");
  }
  return ParseConfigFile(content.str(), path);
}

}  // namespace spillway
