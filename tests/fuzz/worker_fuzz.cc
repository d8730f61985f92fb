// A worker whose coordinator and executors say anything, in order and within the session: it stays
// up, and what it says are frames of the protocol.
#include <string>
#include <string_view>
#include <vector>

#include "mapreduce/base/check.h"
#include "runtime/protocol/frame.h"
#include "runtime/worker/worker_machine.h"
#include "tests/fuzz/fuzz_steps.h"

using namespace spillway;

namespace {

constexpr JobId kJobs = 4;

WorkerMachineOptions Options() {
  WorkerMachineOptions options;
  options.details.set_incarnation(7);
  options.details.set_slots(2);
  options.executors_max = 1;
  options.respawns_max = 2;
  return options;
}

class Worker {
 public:
  Worker() { TakeEffects(); }  // It registers.

  void Take(std::uint8_t choice, std::string_view bytes) {
    const JobId job = choice / 16 % kJobs;
    switch (choice % 16) {
      case 0: machine_.OnCoordinatorFrame(bytes, now_); break;
      case 1: Hear(bytes, 0); break;
      case 2:
      case 3:
      case 4:
      case 5: Hear(bytes, session_); break;
      case 6:
      case 7: HearExecutor(job, bytes); break;
      case 8:
      case 9: AnswerPreparations(bytes.empty() ? OkStatus() : Aborted(std::string(bytes))); break;
      case 10: machine_.OnExecutorEnded(job, {}, "fuzzed", now_); break;
      case 11: machine_.Heartbeat({}, now_); break;
      case 12: machine_.Drain(now_); break;
      case 13: machine_.Leave(now_); break;
      default: now_ += 1 + bytes.size(); machine_.Tick(now_);
    }
    TakeEffects();
  }

 private:
  void Hear(std::string_view message, std::uint64_t session) {
    wire::Frame frame;
    frame.set_version(kProtocolVersion);
    frame.set_session(session);
    if (session != 0) frame.set_first_sequence(++heard_);
    frame.add_messages(std::string(message));
    machine_.OnCoordinatorFrame(frame.SerializeAsString(), now_);
  }

  void HearExecutor(JobId job, std::string_view bytes) {
    const auto message = ParseMessage(bytes);
    if (message.ok()) machine_.OnExecutorMessage(job, *message, now_);
  }

  void AnswerPreparations(const Status& status) {
    for (const auto& preparation : std::exchange(preparations_, {}))
      machine_.OnPrepared(preparation.start.job(), preparation.number, status, now_);
  }

  void TakeEffects() {
    WorkerEffects effects = machine_.TakeEffects(now_);
    for (auto& preparation : effects.prepare) preparations_.push_back(std::move(preparation));
    for (const std::string& frame : effects.frames) SPILLWAY_CHECK(ParseFrame(frame).ok());
    if (effects.registered.has_value() && effects.registered->session() != session_) {
      session_ = effects.registered->session();
      heard_ = 0;
    }
  }

  WorkerMachine machine_{Options()};
  TimeMs now_ = 1;
  std::uint64_t session_ = 0, heard_ = 0;
  std::vector<WorkerEffects::Preparation> preparations_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  FuzzSteps steps(data, size);
  Worker worker;
  std::uint8_t choice = 0;
  for (std::string_view bytes; steps.Next(&choice, &bytes);) worker.Take(choice, bytes);
  return 0;
}
