// PowerCutFileSystem: a file system in memory that forgets what was not synced. After a given
// number of changes every call fails, as for a process that ends with its machine; Restore makes of
// it what the disk has then. Two kinds of disks, because each hides another mistake: one that kept
// names before content (a renamed file is empty when it was not synced), and one that kept no name
// whose directory was not synced (the rename is gone). A rename is one change: both of its names
// are kept, or none. One thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "mapreduce/base/file_system.h"

namespace spillway {

class PowerCutFileSystem final : public FileSystem {
 public:
  enum class Disk { kKeepsAllNames, kKeepsSyncedNames };

  /// With the directory `root` in it, say "/d".
  PowerCutFileSystem(const std::string& root, int changes_max) : left_(changes_max) {
    nodes_.resize(2);
    nodes_[0].names[root.substr(1)] = 1;
    kept_.push_back({{{0, root.substr(1), 1}}, true});
  }

  bool cut() const { return left_ < 0; }
  int syncs() const { return syncs_; }
  void FailNextSync() { sync_fails_ = true; }

  /// Power is back, and stays.
  void Restore(Disk disk) {
    for (Node& node : nodes_) {
      node.names.clear();
      node.content = node.synced;
    }
    for (const Change& change : kept_)
      if (change.durable || disk == Disk::kKeepsAllNames) Apply(change);
    left_ = 1'000'000;
  }

  Result<std::unique_ptr<WritableFile>> Create(const std::string& path) override {
    SPILLWAY_RETURN_IF_ERROR(Add(path, false));
    return std::unique_ptr<WritableFile>(std::make_unique<Writable>(*this, nodes_.size() - 1));
  }
  Result<std::unique_ptr<WritableFile>> Reopen(const std::string& path) override {
    SPILLWAY_ASSIGN_OR_RETURN(const std::size_t node, Find(path));
    return std::unique_ptr<WritableFile>(std::make_unique<Writable>(*this, node));
  }
  Result<std::unique_ptr<ReadableFile>> Open(const std::string& path) override {
    SPILLWAY_ASSIGN_OR_RETURN(const std::size_t node, Find(path));
    return std::unique_ptr<ReadableFile>(std::make_unique<Readable>(nodes_[node].content));
  }
  Result<FileInfo> Stat(const std::string& path) override {
    SPILLWAY_ASSIGN_OR_RETURN(const std::size_t node, Find(path));
    FileInfo info;
    info.kind = nodes_[node].directory ? FileKind::kDirectory : FileKind::kRegular;
    info.bytes = nodes_[node].content.size();
    info.inode = node;
    return info;
  }
  Result<std::vector<std::string>> List(const std::string& path) override {
    SPILLWAY_ASSIGN_OR_RETURN(const std::size_t node, Find(path));
    std::vector<std::string> names;
    for (const auto& [name, unused] : nodes_[node].names) names.push_back(name);
    return names;
  }
  Status MakeDirectory(const std::string& path, int) override { return Add(path, true); }
  Status Remove(const std::string& path) override {
    SPILLWAY_ASSIGN_OR_RETURN(const Entry entry, EntryOf(path));
    if (entry.node == kNone) return NotFound(path);
    return Make({{entry.directory, entry.name, kNone}});
  }
  Status RemoveTree(const std::string& path) override { return Remove(path); }
  Status RenameNoReplace(const std::string& from, const std::string& to) override {
    SPILLWAY_ASSIGN_OR_RETURN(const Entry old, EntryOf(from));
    SPILLWAY_ASSIGN_OR_RETURN(const Entry neu, EntryOf(to));
    if (old.node == kNone) return NotFound(from);
    if (neu.node != kNone) return AlreadyExists(to);
    return Make({{old.directory, old.name, kNone}, {neu.directory, neu.name, old.node}});
  }
  Status Exchange(const std::string& a, const std::string& b) override {
    SPILLWAY_ASSIGN_OR_RETURN(const Entry one, EntryOf(a));
    SPILLWAY_ASSIGN_OR_RETURN(const Entry two, EntryOf(b));
    if (one.node == kNone || two.node == kNone) return NotFound(a + " or " + b);
    return Make({{one.directory, one.name, two.node}, {two.directory, two.name, one.node}});
  }
  Status SyncDirectory(const std::string& path) override {
    SPILLWAY_ASSIGN_OR_RETURN(const std::size_t directory, Find(path));
    SPILLWAY_RETURN_IF_ERROR(Count());
    for (Change& change : kept_)
      for (const Entry& entry : change.entries)
        if (entry.directory == directory) change.durable = true;
    return OkStatus();
  }
  Result<std::uint64_t> FreeBytes(const std::string&) override { return std::uint64_t{1} << 40; }

 private:
  static constexpr std::size_t kNone = SIZE_MAX;
  struct Node {
    bool directory = true;
    std::map<std::string, std::size_t> names;
    std::string content, synced;
  };
  struct Entry {
    std::size_t directory;
    std::string name;
    std::size_t node;  ///< kNone: no such name.
  };
  struct Change {
    std::vector<Entry> entries;
    bool durable = false;
  };

  class Writable final : public WritableFile {
   public:
    Writable(PowerCutFileSystem& files, std::size_t node) : files_(files), node_(node) {}
    Status Append(std::string_view data) override {
      SPILLWAY_RETURN_IF_ERROR(files_.Count());
      files_.nodes_[node_].content += data;
      return OkStatus();
    }
    Status Sync() override {
      SPILLWAY_RETURN_IF_ERROR(files_.Count());
      ++files_.syncs_;
      if (std::exchange(files_.sync_fails_, false)) return ResourceExhausted("no sync");
      files_.nodes_[node_].synced = files_.nodes_[node_].content;
      return OkStatus();
    }
    Status Close() override { return OkStatus(); }

   private:
    PowerCutFileSystem& files_;
    const std::size_t node_;
  };

  class Readable final : public ReadableFile {
   public:
    explicit Readable(std::string content) : content_(std::move(content)) {}
    Result<std::uint64_t> ReadAt(std::uint64_t offset, std::uint64_t bytes,
                                 char* scratch) const override {
      return offset < content_.size() ? content_.copy(scratch, bytes, offset) : std::uint64_t{0};
    }
    Result<std::uint64_t> Size() const override { return content_.size(); }
    void Release(std::uint64_t, std::uint64_t) const override {}

   private:
    const std::string content_;
  };

  Status Count() {
    if (left_ >= 0) --left_;
    return cut() ? Unavailable("the power is cut") : OkStatus();
  }

  Result<Entry> EntryOf(const std::string& path) const {
    if (cut()) return Unavailable("the power is cut");
    Entry entry{0, "", 0};
    for (std::size_t at = 0; at < path.size();) {
      const std::size_t end = std::min(path.find('/', at + 1), path.size());
      if (entry.node == kNone) return NotFound(path);
      entry = {entry.node, path.substr(at + 1, end - at - 1), kNone};
      const auto& names = nodes_[entry.directory].names;
      if (const auto found = names.find(entry.name); found != names.end())
        entry.node = found->second;
      at = end;
    }
    return entry;
  }
  Result<std::size_t> Find(const std::string& path) const {
    SPILLWAY_ASSIGN_OR_RETURN(const Entry entry, EntryOf(path));
    if (entry.node == kNone) return NotFound(path);
    return entry.node;
  }

  Status Add(const std::string& path, bool directory) {
    SPILLWAY_ASSIGN_OR_RETURN(const Entry entry, EntryOf(path));
    if (entry.node != kNone) return AlreadyExists(path);
    nodes_.emplace_back().directory = directory;
    return Make({{entry.directory, entry.name, nodes_.size() - 1}});
  }

  Status Make(std::vector<Entry> entries) {
    SPILLWAY_RETURN_IF_ERROR(Count());
    kept_.push_back({std::move(entries)});
    Apply(kept_.back());
    return OkStatus();
  }
  void Apply(const Change& change) {
    for (const Entry& entry : change.entries) {
      auto& names = nodes_[entry.directory].names;
      if (entry.node == kNone) {
        names.erase(entry.name);
      } else {
        names[entry.name] = entry.node;
      }
    }
  }

  std::vector<Node> nodes_;  ///< 0 is "/".
  std::vector<Change> kept_;
  int left_;
  int syncs_ = 0;
  bool sync_fails_ = false;
};

}  // namespace spillway
