// A coordinator among workers and clients that say anything, in order and within their sessions, so
// that what they say is believed to be theirs: it stays up, what it says are frames, and another
// coordinator can stand where it stood, from its journal.
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "mapreduce/base/check.h"
#include "runtime/coordinator/coordinator_machine.h"
#include "runtime/protocol/frame.h"
#include "tests/fuzz/fuzz_steps.h"

using namespace spillway;

namespace {

constexpr std::uint32_t kPeers = 4;

CoordinatorMachineOptions Options(std::uint64_t epoch) {
  CoordinatorMachineOptions options;
  options.scheduler = SchedulerOptions::Tiny();
  options.authenticated = false;
  options.small_job_bytes_max = 0;
  options.epoch = epoch;
  options.owner = "fuzzed";
  return options;
}

class Cluster {
 public:
  void Take(std::uint8_t choice, std::string_view bytes) {
    const std::string peer = "p" + std::to_string(choice / 8 % kPeers);
    switch (choice % 8) {
      case 0: machine_.OnFrame(peer, Role::kNone, bytes, now_); break;
      case 1: Say(peer, bytes, 0); break;
      case 2:
      case 3:
      case 4: Say(peer, bytes, sessions_[peer].number); break;
      case 5: AnswerOutputs(bytes.empty() ? OkStatus() : Unavailable(std::string(bytes))); break;
      default: now_ += 1 + bytes.size(); machine_.Tick(now_);
    }
    TakeEffects();
  }

  /// What was journalled can have happened.
  void TakeOver() {
    CoordinatorMachine heir(Options(2), FetchSecrets());
    for (const auto& [job, record] : journal_) {
      const Status restored = heir.Restore(record);
      SPILLWAY_CHECK(restored.ok());
    }
    heir.Resume(now_);
    (void)heir.TakeEffects(now_);
  }

 private:
  struct Session {
    std::uint64_t number = 0, said = 0;
  };

  /// A message as the session's next; outside of any, where it has none.
  void Say(const std::string& peer, std::string_view message, std::uint64_t session) {
    wire::Frame frame;
    frame.set_version(kProtocolVersion);
    frame.set_session(session);
    if (session != 0) frame.set_first_sequence(++sessions_[peer].said);
    frame.add_messages(std::string(message));
    machine_.OnFrame(peer, Role::kNone, frame.SerializeAsString(), now_);
  }

  void AnswerOutputs(const Status& status) {
    for (const OutputOrder& order : std::exchange(orders_, {}))
      machine_.OnOutputDone(order, status, "/staging", now_);
  }

  void TakeEffects() {
    Effects effects = machine_.TakeEffects(now_);
    for (AppendRecord& record : effects.records)
      journal_.push_back({record.job, std::move(record.bytes)});
    for (const ArchiveJob& job : effects.archived)
      std::erase_if(journal_, [&](const auto& record) { return record.first == job.job; });
    for (OutputOrder& order : effects.outputs)
      if (order.kind != OutputOrder::Kind::kDrop) orders_.push_back(std::move(order));
    for (const SendFrame& send : effects.frames) {
      const auto frame = ParseFrame(send.frame);
      SPILLWAY_CHECK(frame.ok());
      for (const std::string& text : frame->messages()) {
        const auto message = ParseMessage(text);
        SPILLWAY_CHECK(message.ok());
        const wire::Registered& registered = message->registered();
        if (message->has_registered() && !registered.has_refused())
          sessions_[send.peer] = {registered.session(), 0};
      }
    }
  }

  CoordinatorMachine machine_{Options(1), FetchSecrets()};
  TimeMs now_ = 1;
  std::map<std::string, Session> sessions_;
  std::vector<std::pair<JobId, std::string>> journal_;
  std::vector<OutputOrder> orders_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  FuzzSteps steps(data, size);
  Cluster cluster;
  std::uint8_t choice = 0;
  for (std::string_view bytes; steps.Next(&choice, &bytes);) cluster.Take(choice, bytes);
  cluster.TakeOver();
  return 0;
}
