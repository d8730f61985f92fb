#include "runtime/hadoop/hadoop_paths.h"

#include <glob.h>

#include <algorithm>
#include <utility>

namespace spillway {
namespace {

/// For a prefix that is no part of the pattern.
std::string EscapeForGlob(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (std::string_view("\\*?[]{},").find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

/// The path without `.` and `..`; what is above its beginning is its beginning.
std::string Normalised(std::string_view path) {
  std::vector<std::string_view> names;
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string_view name = path.substr(at, end - at);
    at = end + 1;
    if (name == ".." && !names.empty()) names.pop_back();
    if (!name.empty() && name != "." && name != "..") names.push_back(name);
  }
  std::string normalised;
  for (const std::string_view name : names) normalised.append("/").append(name);
  return normalised;
}

/// "scheme" of scheme:/..., or "".
std::string_view SchemeOf(std::string_view text) {
  const std::size_t colon = text.find(":/");
  if (colon == std::string_view::npos || text.find('/') < colon) return {};
  return text.substr(0, colon);
}

}  // namespace

HadoopPaths::HadoopPaths(std::string root, std::string user) : root_(std::move(root)) {
  while (root_.ends_with('/')) root_.pop_back();
  if (!root_.empty()) home_ = root_ + "/user/" + user + "/";
}

Result<HadoopPaths::Prefix> HadoopPaths::PrefixOf(std::string_view text) const {
  if (text.empty()) return InvalidArgument("a path of no letters names nothing");
  const std::string_view scheme = SchemeOf(text);
  const bool has_root = !root_.empty();
  if (scheme.empty())
    return text[0] == '/' ? Prefix{"", root_, has_root} : Prefix{"", home_, has_root};
  if (scheme != "hdfs" && scheme != "file")
    return InvalidArgument("'" + std::string(text) +
                           "': only hdfs: and file: are served here, not " + std::string(scheme) +
                           ":");
  std::string shown = std::string(scheme) + ":";
  const std::string_view rest = text.substr(shown.size());
  if (rest.starts_with("//")) shown.append(rest.substr(0, rest.find('/', 2)));
  if (scheme == "file") return Prefix{std::move(shown), ""};
  return Prefix{std::move(shown), root_, has_root};
}

std::string HadoopPaths::LocalOf(const Prefix& prefix, std::string_view text) const {
  const std::string local = prefix.local + std::string(text.substr(prefix.shown.size()));
  return prefix.rooted ? root_ + Normalised(std::string_view(local).substr(root_.size())) : local;
}

Result<HadoopPath> HadoopPaths::Find(std::string_view text) const {
  SPILLWAY_ASSIGN_OR_RETURN(const Prefix prefix, PrefixOf(text));
  std::string local = LocalOf(prefix, text);
  while (local.size() > 1 && local.ends_with('/')) local.pop_back();
  if (local.empty()) local = "/";
  return HadoopPath{std::string(text), std::move(local)};
}

Result<HadoopPath> HadoopPaths::FindLocal(std::string_view text) const {
  if (SchemeOf(text).empty() && !text.empty())
    return HadoopPath{std::string(text), std::string(text)};
  return Find(text);
}

Result<std::vector<HadoopPath>> HadoopPaths::Expand(std::string_view text) const {
  if (text.find_first_of("*?[{") == std::string_view::npos) {
    SPILLWAY_ASSIGN_OR_RETURN(HadoopPath path, Find(text));
    return std::vector<HadoopPath>{std::move(path)};
  }
  SPILLWAY_ASSIGN_OR_RETURN(const Prefix prefix, PrefixOf(text));
  const std::string& escaped = prefix.rooted ? root_ : prefix.local;
  const std::string pattern = EscapeForGlob(escaped) + LocalOf(prefix, text).substr(escaped.size());
  glob_t found = {};
  std::vector<HadoopPath> paths;
  if (::glob(pattern.c_str(), GLOB_BRACE, nullptr, &found) == 0)
    for (std::size_t i = 0; i < found.gl_pathc; ++i) {
      const std::string local = found.gl_pathv[i];
      const std::string& hidden = local.starts_with(prefix.local) ? prefix.local : root_;
      paths.push_back({prefix.shown + local.substr(hidden.size()), local});
    }
  ::globfree(&found);
  if (paths.empty()) return NotFound("`" + std::string(text) + "': No such file or directory");
  return paths;
}

HadoopPath Below(const HadoopPath& directory, const std::string& name) {
  const auto join = [&name](const std::string& to) {
    return to.ends_with('/') ? to + name : to + "/" + name;
  };
  return {directory.shown == "." ? name : join(directory.shown), join(directory.local)};
}

}  // namespace spillway
