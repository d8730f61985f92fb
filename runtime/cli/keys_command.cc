#include "runtime/cli/keys_command.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "mapreduce/base/units.h"
#include "runtime/cli/exit_code.h"
#include "runtime/transport/key_directory.h"

namespace spillway {
namespace {

constexpr std::size_t kPathBytesMax = 400;

int ReportStatus(const Shell& shell, const Status& status) {
  return ReportError(shell, ExitCodeOf(status), status.message() + ".");
}

int ReportMissing(const CommandLine& line, const Shell& shell, const std::string& what) {
  return ReportError(shell, kExitUsage,
                     what + " Write spillway " + std::string(line.command->name) + " " +
                         std::string(line.command->usage) + ".");
}

nlohmann::ordered_json IdentityJson(const Identity& identity) {
  return {{"name", identity.name},
          {"role", RoleName(identity.role)},
          {"public_key", identity.public_key}};
}

/// {"keys":[...]}. A path that is not UTF-8 is shown with U+FFFD, like everywhere.
std::string KeysJson(const std::string& directory, const std::vector<Identity>& identities) {
  nlohmann::ordered_json json = {{"directory", directory},
                                 {"keys", nlohmann::ordered_json::array()}};
  for (const Identity& identity : identities) json["keys"].push_back(IdentityJson(identity));
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string KeysText(const std::vector<Identity>& identities) {
  std::size_t name_columns = std::string_view("NAME").size();
  for (const Identity& identity : identities) {
    name_columns = std::max(name_columns, identity.name.size());
  }
  const auto row = [&](std::string name, std::string role, const std::string& key) {
    name.resize(name_columns + 2, ' ');
    role.resize(std::string_view("coordinator").size() + 2, ' ');
    return name + role + key + "\n";
  };
  std::string text = row("NAME", "ROLE", "PUBLIC KEY");
  for (const Identity& identity : identities) {
    text += row(identity.name, std::string(RoleName(identity.role)), identity.public_key);
  }
  return text;
}

int ShowKeys(const CommandLine& line, const Shell& shell, const KeyDirectory& keys,
             const std::string& heading) {
  const auto identities = keys.List();
  if (!identities.ok()) return ReportStatus(shell, identities.status());
  shell.out << (line.Has("json") ? KeysJson(line.operands[0], *identities)
                                 : heading + KeysText(*identities));
  return kExitDone;
}

}  // namespace

int InitKeysCommand(const CommandLine& line, const Shell& shell) {
  if (line.operands.empty()) return ReportMissing(line, shell, "where to?");
  const std::string& directory = line.operands[0];
  const KeyDirectory keys(directory);
  if (const Status made = keys.Init(); !made.ok()) return ReportStatus(shell, made);
  const std::string shown = EscapeForLog(directory, kPathBytesMax);
  return ShowKeys(line, shell, keys, "new keys in " + shown + "\n\n");
}

int AddKeyCommand(const CommandLine& line, const Shell& shell) {
  if (line.operands.size() < 2) return ReportMissing(line, shell, "whose key, and where?");
  if (!line.Has("role")) return ReportMissing(line, shell, "which --role?");
  const std::string export_dir = line.Value("export");
  const auto identity = KeyDirectory(line.operands[0])
                            .Add({.name = line.operands[1],
                                  .role = ParseRole(line.Value("role")),
                                  .export_dir = export_dir});
  if (!identity.ok()) return ReportStatus(shell, identity.status());
  if (line.Has("json")) {
    shell.out << IdentityJson(*identity).dump() << "\n";
    return kExitDone;
  }
  const std::string directory = export_dir.empty() ? line.operands[0] : export_dir;
  shell.out << "new key of " << identity->name << ", " << RoleName(identity->role) << "\n"
            << "  public key  " << identity->public_key << "\n"
            << "  secret in   " << EscapeForLog(directory, kPathBytesMax) << "\n";
  return kExitDone;
}

int ListKeysCommand(const CommandLine& line, const Shell& shell) {
  if (line.operands.empty()) return ReportMissing(line, shell, "the keys of which directory?");
  return ShowKeys(line, shell, KeyDirectory(line.operands[0]), "");
}

int RevokeKeyCommand(const CommandLine& line, const Shell& shell) {
  if (line.operands.size() < 2) return ReportMissing(line, shell, "whose key, and where?");
  const std::string& name = line.operands[1];
  if (const Status gone = KeyDirectory(line.operands[0]).Revoke(name); !gone.ok()) {
    return ReportStatus(shell, gone);
  }
  if (line.Has("json")) {
    shell.out << nlohmann::ordered_json({{"revoked", name}}).dump() << "\n";
  } else {
    shell.out << "revoked the key of " << name << "\n";
  }
  return kExitDone;
}

}  // namespace spillway
