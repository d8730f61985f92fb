#include "runtime/transfer/cluster_segment_source.h"

#include <utility>

#include "runtime/transfer/job_directory.h"
#include "runtime/transfer/local_segment_source.h"
#include "shuffle/store/disk_segment_store.h"

namespace spillway {

ClusterSegmentSource::ClusterSegmentSource(FileSystem& files, SegmentFetcher& fetcher,
                                           const ClusterSegmentSourceOptions& options)
    : files_(files), fetcher_(fetcher), options_(options) {}

void ClusterSegmentSource::SetPlace(const wire::WorkerPlace& place) {
  Place known;
  known.gone = place.gone();
  known.fetchable = !place.gone() && !place.fetch_endpoint().empty();
  const bool here = place.worker() == options_.worker || place.host() == options_.host;
  if (here && !place.gone() && place.scratch_dirs_size() > 0) {
    DiskSegmentStoreOptions store;
    store.open_files_max = options_.open_files_max;
    for (const std::string& scratch_dir : place.scratch_dirs())
      store.directories.push_back(JobDirectory(scratch_dir, options_.job));
    known.files = std::make_shared<DiskSegmentStore>(files_, store);
  }
  if (known.fetchable)
    fetcher_.SetSource(place.worker(), {place.fetch_endpoint(), place.fetch_public_key()});
  else if (place.gone())
    fetcher_.RemoveSource(place.worker());
  std::lock_guard lock(mutex_);
  places_[place.worker()] = std::move(known);
}

void ClusterSegmentSource::Fetch(FetchTicket ticket, const SegmentOrder& order, Done done) {
  Place place;
  {
    std::lock_guard lock(mutex_);
    const auto found = places_.find(order.worker);
    if (found != places_.end()) place = found->second;
  }
  Status failure =
      Unavailable("worker " + std::to_string(order.worker) +
                  (place.gone ? " is gone" : " has no place that is known here") + "; map task " +
                  std::to_string(order.id.map_task) + " must run again");
  if (place.files != nullptr) {
    auto opened = OpenSegmentIn(*place.files, order.id);
    if (opened.ok()) {
      std::lock_guard lock(mutex_);
      ++totals_[ticket].segments;
    }
    if (opened.ok() || opened.status().code() == Code::kDataLoss) {
      done(std::move(opened));
      return;
    }
    failure = opened.status();
  }
  if (place.fetchable && order.worker != options_.worker)
    fetcher_.Fetch(ticket, order, std::move(done));
  else
    done(std::move(failure));
}

FetchTotals ClusterSegmentSource::CancelAll(FetchTicket ticket) {
  FetchTotals totals = fetcher_.CancelAll(ticket);
  std::lock_guard lock(mutex_);
  const auto found = totals_.find(ticket);
  if (found == totals_.end()) return totals;
  totals.segments += found->second.segments;
  totals_.erase(found);
  return totals;
}

}  // namespace spillway
