// AuthorizedKeys: the file 'authorized' of a key directory, which says whose key has which role. A
// running coordinator sees each change of it at the next connection. Thread-safe.
//
//   # NAME ROLE PUBLIC_KEY, one line each
//   coordinator coordinator rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7
//   worker worker Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID
#pragma once

#include <sys/stat.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "mapreduce/base/status.h"
#include "runtime/transport/transport_options.h"

namespace spillway {

struct Identity {
  std::string name;  ///< See IsIdentityName.
  Role role = Role::kNone;
  std::string public_key;  ///< Z85.
};

/// One to 64 letters, digits, '-' and '_'.
bool IsIdentityName(std::string_view name);

/// The file's identities, in its order. BadData names the line: a bad name, role or key, or a name
/// or key that came before. `path` is for messages.
Result<std::vector<Identity>> ParseAuthorized(std::string_view text, const std::string& path);
std::string AuthorizedText(const std::vector<Identity>& identities);

class AuthorizedKeys {
 public:
  explicit AuthorizedKeys(std::string path);

  /// kNone for a stranger, and for everybody while the file cannot be read or is wrong: then
  /// status() tells why.
  Role Find(std::string_view public_key);

  /// Whether the file can be read, is right, and no longer gives the key the role.
  bool Withdrawn(std::string_view public_key, Role role);

  /// How the last look at the file ended.
  Status status();

 private:
  void Refresh();  // With mutex_ held.

  const std::string path_;
  std::mutex mutex_;
  Status status_;        // All below: guarded by mutex_.
  struct stat seen_ {};  // Of the file that roles_ came from.
  bool loaded_ = false;
  std::map<std::string, Role, std::less<>> roles_;
};

}  // namespace spillway
