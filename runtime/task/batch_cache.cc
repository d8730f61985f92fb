#include "runtime/task/batch_cache.h"

#include <xxhash.h>

#include <algorithm>
#include <utility>

namespace spillway {

BatchCache::~BatchCache() {
  for (const auto& part : parts_)
    for (const Entry& entry : part) budget_.Release(entry.charged);
  saved_bytes_.reset();
  if (file_bytes_ == 0) return;
  const Status discarded = store_.Discard(id_);
  static_cast<void>(discarded.ok());  // The job's scratch directory goes as a whole.
}

Status BatchCache::Add(LoopObject batch, TaskHost& host) {
  Entry entry;
  const std::uint64_t bytes = loop_.batch_bytes(batch.get());
  if (budget_.TryReserve(bytes)) {
    entry.charged = bytes;
    entry.batch = std::move(batch);
  } else {
    SPILLWAY_RETURN_IF_ERROR(Save(entry, batch, host));
  }
  ++batches_;
  parts_.back().push_back(std::move(entry));
  return OkStatus();
}

Status BatchCache::Save(Entry& entry, const LoopObject& batch, TaskHost& host) {
  SPILLWAY_ASSIGN_OR_RETURN(const std::string bytes, batch.Save(host));
  if (file_ == nullptr) {
    SPILLWAY_ASSIGN_OR_RETURN(file_, store_.Create(id_));
  }
  entry.offset = file_bytes_;
  entry.bytes = bytes.size();
  entry.xxh3 = XXH3_64bits(bytes.data(), bytes.size());
  SPILLWAY_RETURN_IF_ERROR(file_->Append(bytes));
  file_bytes_ += bytes.size();
  ++saved_;
  return OkStatus();
}

Status BatchCache::Finish() {
  if (file_ == nullptr) return OkStatus();
  SPILLWAY_RETURN_IF_ERROR(file_->Commit());
  file_.reset();
  SPILLWAY_ASSIGN_OR_RETURN(saved_bytes_, store_.Open(id_));
  return OkStatus();
}

Result<LoopObject> BatchCache::Load(const Entry& entry, TaskHost& host) {
  scratch_.resize(std::max<std::size_t>(scratch_.size(), entry.bytes));
  SPILLWAY_ASSIGN_OR_RETURN(const std::string_view bytes,
                            saved_bytes_->ReadAt(entry.offset, entry.bytes, scratch_.data()));
  if (XXH3_64bits(bytes.data(), bytes.size()) != entry.xxh3)
    return Aborted(saved_bytes_->name() + " has changed at " + std::to_string(entry.offset) +
                   " since a batch was saved there; its parts are read again");
  return LoopObject::Load(loop_, SPILLWAY_LOOP_BATCH, bytes, host);
}

Status BatchCache::ForEach(std::size_t part, TaskHost& host,
                           const std::function<Status(const void* batch)>& each) {
  for (const Entry& entry : parts_[part]) {
    if (entry.batch) {
      SPILLWAY_RETURN_IF_ERROR(each(entry.batch.get()));
      continue;
    }
    SPILLWAY_ASSIGN_OR_RETURN(const LoopObject batch, Load(entry, host));
    SPILLWAY_RETURN_IF_ERROR(each(batch.get()));
  }
  return OkStatus();
}

}  // namespace spillway
