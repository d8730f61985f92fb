#include "shuffle/merge/tree_merge.h"

namespace spillway {
namespace {

/// With many runs a block falls out of the caches before its turn comes again.
constexpr std::size_t kPrefetchBytes = 512;

/// Of the tree, per run.
constexpr std::uint64_t kNodeBytes = 16;

}  // namespace

TreeMerge::TreeMerge(std::vector<std::unique_ptr<BlockSource>> sources, const MergeOptions& options)
    : order_(options.order), batch_records_(options.batch_records), tree_(Before{this}) {
  runs_.resize(sources.size());
  for (std::size_t i = 0; i < sources.size(); ++i) runs_[i].source = std::move(sources[i]);
  records_.resize(batch_records_);
  groups_.reserve(batch_records_);
}

MergeMemory TreeMerge::Memory(const MergeOptions& options) {
  return {
      .fixed_bytes = options.batch_records * std::uint64_t{sizeof(Record) + sizeof(std::uint32_t)},
      .bytes_per_run = sizeof(Run) + kNodeBytes};
}

bool TreeMerge::Before::operator()(std::uint32_t a, std::uint32_t b) const {
  const Run& left = merge->runs_[a];
  const Run& right = merge->runs_[b];
  if (left.next == nullptr || right.next == nullptr)
    return right.next == nullptr && (left.next != nullptr || a < b);
  const int order = merge->order_.Compare(KeyOf(left.head), KeyOf(right.head));
  return order != 0 ? order < 0 : a < b;
}

/// Bytes say nothing about a custom order, so all prefixes are equal there.
std::uint64_t TreeMerge::HeadPrefix(std::uint32_t rank) const {
  const Run& run = runs_[rank];
  if (run.next == nullptr) return UINT64_MAX;
  return order_.is_bytes() ? PaddedPrefix(KeyOf(run.head), 0) : 0;
}

Status TreeMerge::ReadHead(std::uint32_t rank) {
  Run& run = runs_[rank];
  __builtin_prefetch(run.next + kPrefetchBytes);
  run.next = DecodeRecord(run.next, run.end, &run.head);
  if (run.next != nullptr) [[likely]]
    return OkStatus();
  failed_run_ = rank;
  return DataLoss("run " + std::to_string(rank) +
                  " of a merge has a block that ends inside a record; compute the run again");
}

Status TreeMerge::LoadBlock(std::uint32_t rank) {
  Run& run = runs_[rank];
  Block block;
  do {
    Result<bool> more = run.source->Next(&block);
    if (!more.ok()) {
      failed_run_ = rank;
      return more.status();
    }
    if (!*more) {
      run.source.reset();  // its buffers may serve somebody else
      run.next = run.end = nullptr;
      return OkStatus();
    }
  } while (block.bytes.empty());
  run.next = block.bytes.data();
  run.end = run.next + block.bytes.size();
  return ReadHead(rank);
}

Status TreeMerge::Start() {
  started_ = true;
  if (runs_.empty()) return OkStatus();
  std::vector<std::uint64_t> prefixes(runs_.size());
  for (std::uint32_t rank = 0; rank < runs_.size(); ++rank) {
    SPILLWAY_RETURN_IF_ERROR(LoadBlock(rank));
    prefixes[rank] = HeadPrefix(rank);
  }
  tree_.Build(prefixes);
  return OkStatus();
}

bool TreeMerge::BeginsGroup(std::string_view key, std::size_t count) const {
  if (count > 0) return !order_.SameGroup(KeyOf(records_[count - 1]), key);
  return !last_key_.has_value() || !order_.SameGroup(last_key_->view(), key);
}

Result<GroupBatch> TreeMerge::Next() {
  if (!started_) SPILLWAY_RETURN_IF_ERROR(Start());
  if (finished_run_.has_value()) {
    const std::uint32_t rank = *finished_run_;
    finished_run_.reset();
    SPILLWAY_RETURN_IF_ERROR(LoadBlock(rank));
    tree_.Replace(HeadPrefix(rank));
  }
  if (runs_.empty()) return GroupBatch{};

  groups_.clear();
  std::size_t count = 0;
  while (count < batch_records_) {
    const std::uint32_t rank = tree_.winner();
    Run& run = runs_[rank];
    if (run.next == nullptr) break;
    if (BeginsGroup(KeyOf(run.head), count)) groups_.push_back(static_cast<std::uint32_t>(count));
    records_[count++] = run.head;
    if (run.next == run.end) {
      finished_run_ = rank;
      break;
    }
    SPILLWAY_RETURN_IF_ERROR(ReadHead(rank));
    tree_.Replace(HeadPrefix(rank));
  }
  if (count > 0) {
    if (!last_key_.has_value()) last_key_.emplace();
    last_key_->Assign(KeyOf(records_[count - 1]));
  }
  return GroupBatch{std::span(records_.data(), count), groups_};
}

}  // namespace spillway
