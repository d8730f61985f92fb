#include "runtime/local/input_places.h"

#include <algorithm>
#include <boost/filesystem.hpp>
#include <sstream>
#include <utility>

#include "mapreduce/base/units.h"

namespace spillway {

namespace {

/// As the paths of a job are made absolute: links and ".." stay.
std::string PlainDirectory(const std::string& directory) {
  namespace fs = boost::filesystem;
  fs::path whole;
  for (const fs::path& element : fs::absolute(directory))
    if (element != ".") whole /= element;
  std::string plain = whole.string();
  while (plain.size() > 1 && plain.back() == '/') plain.pop_back();
  return plain;
}

}  // namespace

Status InputPlaces::Add(const std::string& text) {
  const std::size_t equals = text.rfind('=');
  std::vector<std::string> hosts;
  if (equals != std::string::npos && equals > 0) {
    std::istringstream words(text.substr(equals + 1));
    for (std::string host; std::getline(words, host, ',');) hosts.push_back(host);
  }
  if (hosts.empty() || hosts.size() > kHostsMax ||
      std::find(hosts.begin(), hosts.end(), "") != hosts.end())
    return InvalidArgument("'" + EscapeForLog(text) +
                           "' is not DIR=HOST, or DIR=HOST,HOST with up to " +
                           std::to_string(kHostsMax) + " hosts, such as /data/a=node7.");
  const std::string directory = PlainDirectory(text.substr(0, equals));
  if (!hosts_.emplace(directory, std::move(hosts)).second)
    return InvalidArgument("'" + EscapeForLog(directory) +
                           "' is given twice; write its hosts behind one another: DIR=HOST,HOST.");
  return OkStatus();
}

const std::vector<std::string>& InputPlaces::HostsOf(const std::string& path) const {
  static const std::vector<std::string> kNone;
  if (hosts_.empty()) return kNone;
  for (std::string directory = path;;) {
    const auto found = hosts_.find(directory);
    if (found != hosts_.end()) return found->second;
    if (directory.size() <= 1) return kNone;
    const std::size_t slash = directory.rfind('/');
    if (slash == std::string::npos) return kNone;
    directory.resize(std::max<std::size_t>(slash, 1));
  }
}

std::vector<std::string> PlaceTally::Best() const {
  std::vector<std::pair<std::string, std::uint64_t>> hosts(bytes_.begin(), bytes_.end());
  std::stable_sort(hosts.begin(), hosts.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  if (hosts.size() > InputPlaces::kHostsMax) hosts.resize(InputPlaces::kHostsMax);
  std::vector<std::string> best;
  for (auto& [host, bytes] : hosts) best.push_back(std::move(host));
  return best;
}

}  // namespace spillway
