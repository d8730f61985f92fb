#include "runtime/transport/key_directory.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "mapreduce/base/units.h"
#include "runtime/transport/curve_key.h"
#include "runtime/transport/private_file.h"

namespace spillway {
namespace {

constexpr std::string_view kSecretSuffix = ".secret";

Status CheckName(const std::string& name) {
  if (IsIdentityName(name)) return OkStatus();
  return InvalidArgument("'" + EscapeForLog(name) +
                         "' is no name of a key: use up to 64 letters, digits, - and _");
}

/// A file with one key in one line.
Result<std::string> ReadKey(const std::string& path, Exposure exposure) {
  SPILLWAY_ASSIGN_OR_RETURN(std::string key, ReadPrivateFile(path, exposure));
  if (key.ends_with('\n')) key.pop_back();
  if (!IsCurveKey(key)) return BadData(path + " holds no key: expected 40 characters of Z85");
  return key;
}

Status WriteKey(const std::string& path, const std::string& key) {
  return WritePrivateFile(path, key + "\n");
}

bool Exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(std::filesystem::symlink_status(path, ignored));
}

/// The names of the secrets in a directory, sorted.
std::vector<std::string> SecretNames(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator entry(directory, error), end;
  for (; !error && entry != end; entry.increment(error)) {
    std::string name = entry->path().filename().string();
    if (!name.ends_with(kSecretSuffix)) continue;
    name.resize(name.size() - kSecretSuffix.size());
    if (IsIdentityName(name)) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string Joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

KeyDirectory::KeyDirectory(std::string path) : path_(std::move(path)) {
  while (path_.size() > 1 && path_.back() == '/') path_.pop_back();
}

std::string KeyDirectory::authorized_path() const { return path_ + "/authorized"; }

std::string KeyDirectory::SecretPath(const std::string& name) const {
  return path_ + "/" + name + std::string(kSecretSuffix);
}

std::string KeyDirectory::PublicPath() const { return path_ + "/coordinator.public"; }

Status KeyDirectory::Init() const {
  SPILLWAY_RETURN_IF_ERROR(MakePrivateDirectory(path_));
  SPILLWAY_ASSIGN_OR_RETURN(const auto lock, DirectoryLock::Take(path_));
  if (Exists(authorized_path()) || Exists(PublicPath()) || !SecretNames(path_).empty()) {
    return AlreadyExists(path_ +
                         " holds keys, which are not replaced; give a new directory, or add to "
                         "this one with 'spillway keys add'");
  }
  std::vector<Identity> identities;
  for (const Role role : {Role::kCoordinator, Role::kWorker, Role::kSubmitter, Role::kViewer}) {
    const KeyPair keys = NewKeyPair();
    const std::string name(RoleName(role));
    SPILLWAY_RETURN_IF_ERROR(WriteKey(SecretPath(name), keys.secret_key));
    identities.push_back({name, role, keys.public_key});
  }
  SPILLWAY_RETURN_IF_ERROR(WriteKey(PublicPath(), identities.front().public_key));
  return WritePrivateFile(authorized_path(), AuthorizedText(identities));
}

Result<Identity> KeyDirectory::Add(const NewIdentity& identity) const {
  SPILLWAY_RETURN_IF_ERROR(CheckName(identity.name));
  if (identity.role == Role::kCoordinator || identity.role == Role::kNone) {
    return InvalidArgument(
        "a key is a worker's, a submitter's or a viewer's; the coordinator has "
        "its own since 'spillway keys init'");
  }
  SPILLWAY_RETURN_IF_ERROR(CheckPrivateDirectory(path_));
  SPILLWAY_ASSIGN_OR_RETURN(const auto lock, DirectoryLock::Take(path_));
  SPILLWAY_ASSIGN_OR_RETURN(std::vector<Identity> identities, List());
  for (const Identity& known : identities) {
    if (known.name != identity.name) continue;
    return AlreadyExists("there is a key '" + identity.name + "' (" +
                         std::string(RoleName(known.role)) +
                         "); choose another name, or revoke it first");
  }
  const KeyPair keys = NewKeyPair();
  if (identity.export_dir.empty()) {
    SPILLWAY_RETURN_IF_ERROR(WriteKey(SecretPath(identity.name), keys.secret_key));
  } else {
    SPILLWAY_RETURN_IF_ERROR(Export(identity.export_dir, identity.name, keys));
  }
  // Last: a key that is authorized can be found somewhere.
  identities.push_back({identity.name, identity.role, keys.public_key});
  SPILLWAY_RETURN_IF_ERROR(WritePrivateFile(authorized_path(), AuthorizedText(identities)));
  return identities.back();
}

Status KeyDirectory::Export(const std::string& directory, const std::string& name,
                            const KeyPair& keys) const {
  SPILLWAY_ASSIGN_OR_RETURN(const std::string coordinator, CoordinatorKey());
  SPILLWAY_RETURN_IF_ERROR(MakePrivateDirectory(directory));
  const KeyDirectory other(directory);
  if (Exists(other.SecretPath(name))) {
    return AlreadyExists(other.SecretPath(name) + " is there already; export to a new directory");
  }
  if (Exists(other.PublicPath())) {
    SPILLWAY_ASSIGN_OR_RETURN(const std::string known, other.CoordinatorKey());
    if (known != coordinator) {
      return AlreadyExists(directory +
                           " belongs to another coordinator; export to a new directory");
    }
  } else {
    SPILLWAY_RETURN_IF_ERROR(WriteKey(other.PublicPath(), coordinator));
  }
  return WriteKey(other.SecretPath(name), keys.secret_key);
}

Result<std::vector<Identity>> KeyDirectory::List() const {
  SPILLWAY_RETURN_IF_ERROR(CheckPrivateDirectory(path_));
  const auto text = ReadPrivateFile(authorized_path(), Exposure::kReading);
  if (text.status().code() == Code::kNotFound) {
    return NotFound(path_ +
                    " has no file 'authorized', so it is no coordinator's; 'spillway keys init' "
                    "makes one");
  }
  if (!text.ok()) return text.status();
  return ParseAuthorized(*text, authorized_path());
}

Status KeyDirectory::Revoke(const std::string& name) const {
  SPILLWAY_RETURN_IF_ERROR(CheckName(name));
  SPILLWAY_RETURN_IF_ERROR(CheckPrivateDirectory(path_));
  SPILLWAY_ASSIGN_OR_RETURN(const auto lock, DirectoryLock::Take(path_));
  SPILLWAY_ASSIGN_OR_RETURN(std::vector<Identity> identities, List());
  const auto found = std::find_if(identities.begin(), identities.end(),
                                  [&](const Identity& known) { return known.name == name; });
  if (found == identities.end()) {
    std::vector<std::string> names;
    for (const Identity& known : identities) names.push_back(known.name);
    return NotFound("there is no key '" + name + "'; there are " + Joined(names));
  }
  if (found->role == Role::kCoordinator) {
    return InvalidArgument(
        "the coordinator's own key cannot be revoked; make new keys for all "
        "with 'spillway keys init' in a new directory");
  }
  identities.erase(found);
  SPILLWAY_RETURN_IF_ERROR(WritePrivateFile(authorized_path(), AuthorizedText(identities)));
  std::error_code ignored;  // Without a line in 'authorized' the secret opens nothing.
  std::filesystem::remove(SecretPath(name), ignored);
  return OkStatus();
}

Result<KeyPair> KeyDirectory::Load(const std::string& name) const {
  SPILLWAY_RETURN_IF_ERROR(CheckName(name));
  SPILLWAY_RETURN_IF_ERROR(CheckPrivateDirectory(path_));
  SPILLWAY_ASSIGN_OR_RETURN(std::string secret, ReadKey(SecretPath(name), Exposure::kNothing));
  std::string public_key = PublicKeyOf(secret);
  return KeyPair{std::move(public_key), std::move(secret)};
}

Result<std::string> KeyDirectory::CoordinatorKey() const {
  return ReadKey(PublicPath(), Exposure::kReading);
}

Result<std::string> KeyDirectory::ChooseIdentity(const std::string& preferred) const {
  SPILLWAY_RETURN_IF_ERROR(CheckPrivateDirectory(path_));
  const std::vector<std::string> names = SecretNames(path_);
  if (std::find(names.begin(), names.end(), preferred) != names.end()) return preferred;
  if (names.size() == 1) return names.front();
  if (names.empty()) return NotFound(path_ + " holds no secret key");
  return InvalidArgument(path_ + " holds the secrets of " + Joined(names) + " and none of '" +
                         preferred + "'; keep the one to use in a directory of its own");
}

}  // namespace spillway
