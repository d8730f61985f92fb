#include "runtime/stream/stream_options.h"

#include <string_view>
#include <utility>

namespace spillway {

Result<StreamOptions> ReadStreamOptions(const Args& args) {
  StreamOptions options;
  const std::pair<std::string_view, std::string*> known[] = {
      {"--mapper=", &options.mapper},
      {"--combiner=", &options.combiner},
      {"--reducer=", &options.reducer},
      {"--directory=", &options.directory},
  };
  for (std::size_t i = 0; i < args.size(); ++i) {
    bool taken = false;
    for (const auto& [name, value] : known) {
      if (!args[i].starts_with(name)) continue;
      value->assign(args[i].substr(name.size()));
      taken = true;
    }
    if (!taken) return InvalidArgument("unknown argument '" + std::string(args[i]) + "'");
  }
  if (options.mapper.empty())
    return InvalidArgument("give the mapper's command: spillway stream -m CMD -r CMD");
  if (options.reducer == kNoReducer) {
    options.map_only = true;
    options.reducer.clear();
  }
  if (options.map_only && !options.combiner.empty())
    return InvalidArgument("a job without reduce phase (-r NONE) has nothing to combine");
  return options;
}

}  // namespace spillway
