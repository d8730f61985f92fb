// KeyDirectory: the keys of a cluster as files, --keys DIR. Stateless but for its path; each change
// holds a lock, so that any process may make one.
//
//   DIR/                    0700
//     coordinator.public    the coordinator's public key: whom to trust
//     NAME.secret           0600: the secret key of NAME, one line of 40 characters
//     authorized            on the coordinator's machine only: who may connect, as what
//
// Another machine gets a directory of its own with coordinator.public and one secret.
#pragma once

#include <string>
#include <vector>

#include "mapreduce/base/status.h"
#include "runtime/transport/authorized_keys.h"
#include "runtime/transport/transport_options.h"

namespace spillway {

class KeyDirectory {
 public:
  static constexpr const char* kCoordinator = "coordinator";  ///< The coordinator's own name.

  explicit KeyDirectory(std::string path);

  /// Makes the directory with the identities coordinator, worker, submitter and viewer, each named
  /// after its role. AlreadyExists: it holds keys. PermissionDenied: others may enter it.
  Status Init() const;

  /// A new identity with a key of its own. `export_dir` empty: its secret stays here; else it goes
  /// there with coordinator.public, for another machine, and nowhere else. InvalidArgument: a bad
  /// name, or the role coordinator, of which there is one; AlreadyExists: the name is taken.
  struct NewIdentity {
    std::string name;
    Role role = Role::kNone;
    std::string export_dir = {};
  };
  Result<Identity> Add(const NewIdentity& identity) const;

  /// Who may connect. NotFound: this is not the coordinator's directory.
  Result<std::vector<Identity>> List() const;

  /// From now on the identity cannot connect to the coordinator; connections that are there stay.
  /// NotFound, naming the known ones; InvalidArgument for the coordinator itself.
  Status Revoke(const std::string& name) const;

  /// The key pair of `name`. PermissionDenied: others can read it; the message names the chmod.
  Result<KeyPair> Load(const std::string& name) const;

  /// The coordinator's public key, for its clients.
  Result<std::string> CoordinatorKey() const;

  /// Whose secret a process here uses: `preferred` when it is here, else the only one.
  /// InvalidArgument, naming them, when there are several others. NotFound: there is none.
  Result<std::string> ChooseIdentity(const std::string& preferred) const;

  /// For AuthorizedKeys.
  std::string authorized_path() const;

 private:
  std::string SecretPath(const std::string& name) const;
  std::string PublicPath() const;
  Status Export(const std::string& directory, const std::string& name, const KeyPair& keys) const;

  std::string path_;
};

}  // namespace spillway
