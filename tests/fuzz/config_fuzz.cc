// Any text as a configuration file: settings that pass their own checks, or one sentence that names
// the file and the line.
#include <string>
#include <string_view>

#include "mapreduce/base/check.h"
#include "runtime/cli/config_file.h"
#include "runtime/cli/option_value.h"

using namespace spillway;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto settings = ParseConfigFile(text, "spillway.toml");
  if (!settings.ok()) {
    SPILLWAY_CHECK(settings.status().code() == Code::kInvalidArgument);
    SPILLWAY_CHECK(settings.status().message().starts_with("spillway.toml:"));
    return 0;
  }
  for (const SettingValue& setting : *settings) {
    SPILLWAY_CHECK(setting.option != nullptr && !setting.values.empty());
    SPILLWAY_CHECK(setting.option->repeats || setting.values.size() == 1);
    SPILLWAY_CHECK(setting.origin.starts_with("spillway.toml:"));
    for (const std::string& value : setting.values)
      SPILLWAY_CHECK(CheckOptionValue(*setting.option, value, "").ok());
  }
  return 0;
}
