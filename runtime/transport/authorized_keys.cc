#include "runtime/transport/authorized_keys.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <set>
#include <sstream>
#include <utility>

#include "mapreduce/base/units.h"
#include "runtime/transport/curve_key.h"
#include "runtime/transport/private_file.h"

namespace spillway {
namespace {

constexpr std::size_t kNameBytesMax = 64;
constexpr std::string_view kFirstLine = "# NAME ROLE PUBLIC_KEY; changed by 'spillway keys'\n";

bool SameFile(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size &&
         a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec &&
         a.st_ctim.tv_sec == b.st_ctim.tv_sec && a.st_ctim.tv_nsec == b.st_ctim.tv_nsec &&
         a.st_mode == b.st_mode && a.st_uid == b.st_uid;
}

/// What is wrong with a line's words; empty when nothing is.
std::string Problem(const std::vector<std::string>& words) {
  if (words.size() != 3) return "expected NAME ROLE PUBLIC_KEY";
  if (!IsIdentityName(words[0])) return "'" + EscapeForLog(words[0]) + "' is no name";
  if (ParseRole(words[1]) == Role::kNone) return "'" + EscapeForLog(words[1]) + "' is no role";
  if (!IsCurveKey(words[2])) return "the public key is not 40 characters of Z85";
  return {};
}

}  // namespace

bool IsIdentityName(std::string_view name) {
  return !name.empty() && name.size() <= kNameBytesMax &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_';
         });
}

Result<std::vector<Identity>> ParseAuthorized(std::string_view text, const std::string& path) {
  std::vector<Identity> identities;
  std::set<std::string> seen;
  std::istringstream lines{std::string(text)};
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    std::istringstream in(line);
    std::vector<std::string> words;
    for (std::string word; in >> word;) words.push_back(word);
    if (words.empty() || words[0][0] == '#') continue;
    std::string problem = Problem(words);
    // Names have no such characters and keys no such length, so that one set does for both.
    if (problem.empty() && !(seen.insert(words[0]).second && seen.insert(words[2]).second)) {
      problem = "its name or key stands in a line before";
    }
    if (!problem.empty()) return BadData(path + ":" + std::to_string(number) + ": " + problem);
    identities.push_back({words[0], ParseRole(words[1]), words[2]});
  }
  return identities;
}

std::string AuthorizedText(const std::vector<Identity>& identities) {
  std::string text(kFirstLine);
  for (const Identity& identity : identities) {
    text += identity.name + " " + std::string(RoleName(identity.role)) + " " + identity.public_key +
            "\n";
  }
  return text;
}

AuthorizedKeys::AuthorizedKeys(std::string path) : path_(std::move(path)) {}

Role AuthorizedKeys::Find(std::string_view public_key) {
  const std::lock_guard lock(mutex_);
  Refresh();
  const auto found = roles_.find(public_key);
  return found == roles_.end() ? Role::kNone : found->second;
}

bool AuthorizedKeys::Withdrawn(std::string_view public_key, Role role) {
  const std::lock_guard lock(mutex_);
  Refresh();
  const auto found = roles_.find(public_key);
  return status_.ok() && (found == roles_.end() || found->second != role);
}

Status AuthorizedKeys::status() {
  const std::lock_guard lock(mutex_);
  Refresh();
  return status_;
}

void AuthorizedKeys::Refresh() {
  struct stat now {};
  const bool there = ::lstat(path_.c_str(), &now) == 0;
  if (there && loaded_ && SameFile(now, seen_)) return;
  roles_.clear();
  loaded_ = false;
  const auto text = ReadPrivateFile(path_, Exposure::kReading, &seen_);
  if (!text.ok()) {
    status_ = text.status();
    return;
  }
  const auto identities = ParseAuthorized(*text, path_);
  status_ = identities.status();
  // A wrong file is read again only when it changes, too.
  loaded_ = true;
  if (!identities.ok()) return;
  for (const Identity& identity : *identities) roles_[identity.public_key] = identity.role;
}

}  // namespace spillway
