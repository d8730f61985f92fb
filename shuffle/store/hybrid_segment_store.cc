#include "shuffle/store/hybrid_segment_store.h"

#include <utility>

#include "mapreduce/base/check.h"

namespace spillway {

// Has chunks while it is in memory, a file of the disk store afterwards.
class HybridSegmentStore::File final : public SegmentFile {
 public:
  File(HybridSegmentStore& store, const SegmentId& id)
      : store_(store), id_(id), chunks_(store.memory_.NewChunks()) {}

  Status Append(std::string_view bytes) override {
    SPILLWAY_RETURN_IF_ERROR(AppendWhereItFits(bytes));
    size_ += bytes.size();
    return OkStatus();
  }

  char* Room(std::uint64_t bytes) override {
    return chunks_ != nullptr ? chunks_->Room(bytes) : nullptr;
  }
  std::uint64_t size() const override { return size_; }
  bool on_disk() const override { return on_disk_ != nullptr; }

  Status Commit() override {
    SPILLWAY_CHECK(chunks_ != nullptr || on_disk_ != nullptr);
    return store_.Publish(id_, std::move(chunks_), on_disk_.get());
  }

 private:
  Status AppendWhereItFits(std::string_view bytes) {
    if (chunks_ != nullptr) {
      const Status status = chunks_->Append(bytes);
      if (status.code() != Code::kResourceExhausted) return status;
      SPILLWAY_RETURN_IF_ERROR(MoveToDisk());
    }
    SPILLWAY_CHECK(on_disk_ != nullptr);
    return on_disk_->Append(bytes);
  }

  Status MoveToDisk() {
    SPILLWAY_ASSIGN_OR_RETURN(on_disk_, store_.disk_.Create(id_));
    const auto chunks = std::exchange(chunks_, nullptr);
    for (std::size_t i = 0; i < chunks->chunks(); ++i) {
      SPILLWAY_RETURN_IF_ERROR(on_disk_->Append(chunks->chunk(i)));
      chunks->FreeChunk(i);
    }
    return OkStatus();
  }

  HybridSegmentStore& store_;
  const SegmentId id_;
  std::unique_ptr<SegmentChunks> chunks_;
  std::unique_ptr<SegmentFile> on_disk_;
  std::uint64_t size_ = 0;
};

Result<std::unique_ptr<SegmentFile>> HybridSegmentStore::Create(const SegmentId& id) {
  return std::unique_ptr<SegmentFile>(std::make_unique<File>(*this, id));
}

Result<std::shared_ptr<SegmentBytes>> HybridSegmentStore::Open(const SegmentId& id) {
  auto in_memory = memory_.Open(id);
  return in_memory.ok() ? std::move(in_memory) : disk_.Open(id);
}

Status HybridSegmentStore::Discard(const SegmentId& id) {
  SPILLWAY_RETURN_IF_ERROR(memory_.Discard(id));
  return disk_.Discard(id);
}

Status HybridSegmentStore::Publish(const SegmentId& id, std::unique_ptr<SegmentChunks> chunks,
                                   SegmentFile* on_disk) {
  std::lock_guard lock(commit_mutex_);
  if (chunks != nullptr) {
    if (!disk_.Open(id).ok()) memory_.Publish(id, std::move(chunks));
    return OkStatus();
  }
  // The caller's file discards itself when it is not the first.
  return memory_.Open(id).ok() ? OkStatus() : on_disk->Commit();
}

}  // namespace spillway
