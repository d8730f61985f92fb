#include "runtime/cli/cluster_target.h"

#include "runtime/cli/endpoint_text.h"
#include "runtime/cli/exit_code.h"
#include "runtime/cli/option_value.h"
#include "runtime/transport/key_directory.h"

namespace spillway {
namespace {

constexpr const char* kKeyDefault = "submitter";
constexpr std::uint64_t kConnectTimeoutMsDefault = 30'000;

/// Of an option that is no setting.
std::uint64_t DurationOf(const CommandLine& line, std::string_view name, std::uint64_t fallback) {
  const GivenOption* given = line.Find(name);
  return given == nullptr ? fallback : NumberOf(*given->option, given->values.back());
}

}  // namespace

Result<KeyChoice> ChooseKeys(const CommandLine& line, const Settings& settings,
                             const std::string& endpoint, const std::string& option) {
  KeyChoice choice;
  choice.keys_dir = settings.Text("keys", "");
  choice.insecure = settings.Truth("insecure");
  if (!choice.keys_dir.empty() && choice.insecure) {
    if (line.Has("keys") && line.Has("insecure"))
      return InvalidArgument("--keys and --insecure contradict each other. Keep one.");
    // A flag wins over what files and the environment say; among those, keys win.
    if (line.Has("insecure")) {
      choice.keys_dir.clear();
    } else {
      choice.insecure = false;
    }
  }
  const bool loopback = IsLoopbackEndpoint(endpoint);
  if (choice.insecure && !loopback)
    return InvalidArgument(
        "--insecure is for processes of this host, and " + option + " " + endpoint +
        " is not on its loopback interface. Give --keys DIR; 'spillway keys init "
        "DIR' makes them.");
  if (choice.keys_dir.empty() && !choice.insecure && !endpoint.starts_with("ipc://"))
    return InvalidArgument(option + " " + endpoint +
                           " needs keys: give --keys DIR ('spillway keys init DIR' makes them)" +
                           (loopback ? ", or --insecure for a trial on this host." : "."));
  return choice;
}

Result<ClientOptions> MakeClientOptions(const std::string& endpoint, const KeyChoice& choice) {
  ClientOptions client;
  client.endpoint = endpoint;
  client.limits = TransportLimits::Control();
  if (choice.keys_dir.empty()) return client;
  const KeyDirectory keys(choice.keys_dir);
  std::string name = choice.key;
  if (name.empty()) {
    SPILLWAY_ASSIGN_OR_RETURN(name, keys.ChooseIdentity(choice.preferred_key));
  }
  SPILLWAY_ASSIGN_OR_RETURN(client.keys, keys.Load(name));
  SPILLWAY_ASSIGN_OR_RETURN(client.server_key, keys.CoordinatorKey());
  return client;
}

Result<std::optional<ClusterTarget>> FindClusterTarget(const CommandLine& line,
                                                       const Settings& settings) {
  const std::string text = settings.Text("on", "");
  if (text.empty() || text == "local") return std::optional<ClusterTarget>();
  SPILLWAY_ASSIGN_OR_RETURN(const std::string endpoint, ReadEndpoint(text, 1));
  SPILLWAY_ASSIGN_OR_RETURN(KeyChoice choice, ChooseKeys(line, settings, endpoint, "--on"));
  choice.key = settings.Text("key", "");
  choice.preferred_key = kKeyDefault;
  ClusterTarget target;
  SPILLWAY_ASSIGN_OR_RETURN(target.client, MakeClientOptions(endpoint, choice));
  target.connect_timeout_ms = DurationOf(line, "connect-timeout", kConnectTimeoutMsDefault);
  return std::optional<ClusterTarget>(std::move(target));
}

Result<ClusterTarget> RequireClusterTarget(const CommandLine& line, const Settings& settings) {
  SPILLWAY_ASSIGN_OR_RETURN(std::optional<ClusterTarget> target, FindClusterTarget(line, settings));
  if (target.has_value()) return std::move(*target);
  return InvalidArgument(
      "which coordinator? Give --on HOST:PORT, or set SPILLWAY_ON, or 'on' in spillway.toml.");
}

int ClusterExitCode(const Status& status, int signal) {
  if (status.code() == Code::kUnavailable) return kExitUnreachable;
  return ExitCodeOf(status, signal);
}

}  // namespace spillway
