#include "runtime/transfer/local_segment_source.h"

#include <utility>

namespace spillway {

Result<std::shared_ptr<const SegmentReader>> OpenSegmentIn(SegmentStore& store,
                                                           const SegmentId& id) {
  SPILLWAY_ASSIGN_OR_RETURN(std::shared_ptr<SegmentBytes> bytes, store.Open(id));
  return SegmentReader::Open(std::move(bytes), id);
}

void LocalSegmentSource::Fetch(FetchTicket ticket, const SegmentOrder& order, Done done) {
  auto opened = OpenSegmentIn(store_, order.id);
  if (opened.ok()) {
    std::lock_guard lock(mutex_);
    ++totals_[ticket].segments;
  }
  done(std::move(opened));
}

FetchTotals LocalSegmentSource::CancelAll(FetchTicket ticket) {
  std::lock_guard lock(mutex_);
  const auto found = totals_.find(ticket);
  if (found == totals_.end()) return {};
  const FetchTotals totals = found->second;
  totals_.erase(found);
  return totals;
}

}  // namespace spillway
