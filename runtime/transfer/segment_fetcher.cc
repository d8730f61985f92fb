#include "runtime/transfer/segment_fetcher.h"

#include <future>
#include <utility>

#include "mapreduce/base/check.h"

namespace spillway {

SegmentFetcher::SegmentFetcher(TransportContext& context, SegmentStore& store, MemoryBudget& budget,
                               const SegmentFetcherOptions& options)
    : loop_(context, store, budget, options), thread_([this] { Run(); }) {}

SegmentFetcher::~SegmentFetcher() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.Set();
  thread_.join();
}

void SegmentFetcher::SetToken(std::string token, std::uint64_t expires_unix_ms) {
  Post([this, token = std::move(token), expires_unix_ms] {
    loop_.SetToken(token, expires_unix_ms);
  });
}

void SegmentFetcher::SetSource(std::uint32_t worker, FetchEndpoint endpoint) {
  Post([this, worker, endpoint = std::move(endpoint)] { loop_.SetSource(worker, endpoint); });
}

void SegmentFetcher::RemoveSource(std::uint32_t worker) {
  Post([this, worker] { loop_.RemoveSource(worker); });
}

void SegmentFetcher::Fetch(FetchTicket ticket, const SegmentOrder& order,
                           SegmentSource::Done done) {
  const bool posted = Post([this, ticket, order, done] { loop_.Fetch(ticket, order, done); });
  if (!posted) done(Cancelled("the process is ending"));
}

FetchTotals SegmentFetcher::CancelAll(FetchTicket ticket) {
  SPILLWAY_CHECK(std::this_thread::get_id() != thread_.get_id());
  std::promise<FetchTotals> totals;
  const bool posted = Post([this, ticket, &totals] { totals.set_value(loop_.CancelAll(ticket)); });
  return posted ? totals.get_future().get() : FetchTotals();
}

bool SegmentFetcher::Post(Task task) {
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return false;
    tasks_.push_back(std::move(task));
  }
  wake_.Set();
  return true;
}

void SegmentFetcher::Run() {
  while (true) {
    std::vector<Task> tasks;
    bool stopping;
    {
      std::lock_guard lock(mutex_);
      tasks.swap(tasks_);
      stopping = stopping_;
    }
    for (const Task& task : tasks) task();
    if (stopping) break;
    loop_.Turn(wake_);
  }
  loop_.CancelEverything();
}

}  // namespace spillway
