// LoopObject: an object of a loop that only its plugin knows, owned; and the plugin's functions on
// it, run under a task's guard. One thread at a time. HasTrait: what the plugin says of its loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "mapreduce/abi.h"
#include "mapreduce/base/status.h"
#include "runtime/task/task_host.h"

namespace spillway {

/// Whether the plugin says so of its loop; older ones say nothing.
inline bool HasTrait(const spillway_loop& loop, spillway_loop_trait trait) {
  return loop.struct_bytes >= offsetof(spillway_loop, traits) + sizeof loop.traits &&
         (loop.traits & trait) != 0;
}

class LoopObject {
 public:
  LoopObject() = default;
  /// Takes over what the plugin made.
  LoopObject(const spillway_loop& loop, std::uint32_t kind, void* it)
      : loop_(&loop), kind_(kind), it_(it) {}
  LoopObject(LoopObject&& other) noexcept { *this = std::move(other); }
  LoopObject& operator=(LoopObject&& other) noexcept {
    std::swap(loop_, other.loop_);
    std::swap(kind_, other.kind_);
    std::swap(it_, other.it_);
    return *this;
  }
  ~LoopObject() {
    if (it_ != nullptr) loop_->destroy(kind_, it_);
  }

  static Result<LoopObject> Create(const spillway_loop& loop, std::uint32_t kind, TaskHost& host) {
    void* made = nullptr;
    SPILLWAY_RETURN_IF_ERROR(host.Run(nullptr, [&] {
      made = loop.create(loop.self, host.task(), kind);
      return made == nullptr ? 1 : 0;
    }));
    return LoopObject(loop, kind, made);
  }

  static Result<LoopObject> Load(const spillway_loop& loop, std::uint32_t kind,
                                 std::string_view bytes, TaskHost& host) {
    SPILLWAY_ASSIGN_OR_RETURN(LoopObject object, Create(loop, kind, host));
    SPILLWAY_RETURN_IF_ERROR(host.Run(nullptr, [&] {
      return loop.load(loop.self, host.task(), kind, object.it_, bytes.data(), bytes.size());
    }));
    return object;
  }

  Result<std::string> Save(TaskHost& host) const {
    std::string bytes;
    const spillway_sink sink{&bytes, [](void* to, const char* data, std::size_t size) {
                               static_cast<std::string*>(to)->append(data, size);
                               return 0;
                             }};
    SPILLWAY_RETURN_IF_ERROR(host.Run(
        nullptr, [&] { return loop_->save(loop_->self, host.task(), kind_, it_, &sink); }));
    return bytes;
  }

  void* get() const { return it_; }
  void* Release() { return std::exchange(it_, nullptr); }
  explicit operator bool() const { return it_ != nullptr; }

 private:
  const spillway_loop* loop_ = nullptr;
  std::uint32_t kind_ = 0;
  void* it_ = nullptr;
};

}  // namespace spillway
