// A coordinator's machine on the bench: frames in by hand, what it says sorted by receiver.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "runtime/coordinator/coordinator_machine.h"
#include "runtime/protocol/frame.h"

namespace spillway {

inline wire::JobSpec SampleSpec(std::uint32_t maps, std::uint32_t parts) {
  wire::JobSpec spec;
  spec.set_name("sample");
  spec.mutable_plugin()->set_path("/plugin.so");
  spec.mutable_plugin()->set_sha256(std::string(32, 'x'));
  spec.set_output_dir("/out");
  spec.set_parts(parts);
  for (std::uint32_t map = 0; map < maps; ++map) {
    spec.add_inputs()->set_path("/in" + std::to_string(map));
    wire::MapInput& input = *spec.add_maps();
    input.set_bytes(10);
    input.add_ranges()->set_file_index(map);
    input.mutable_ranges(0)->set_bytes(10);
  }
  return spec;
}

class MachineBench {
 public:
  explicit MachineBench(bool authenticated = false)
      : machine({.authenticated = authenticated, .owner = "bench"}, FetchSecrets()) {}

  void Ask(const std::string& peer, const wire::Request& request, Role role = Role::kNone) {
    wire::Message message;
    *message.mutable_request() = request;
    machine.OnFrame(peer, role, LoneFrame(message), now);
    Take();
  }

  /// The whole spec in one piece.
  void Submit(const std::string& peer, const wire::JobSpec& spec, std::uint64_t upload = 1,
              Role role = Role::kNone) {
    const std::string bytes = spec.SerializeAsString();
    wire::Request request;
    request.set_id(upload);
    request.mutable_submit()->set_upload(upload);
    request.mutable_submit()->set_total_bytes(bytes.size());
    request.mutable_submit()->set_bytes(bytes);
    Ask(peer, request, role);
  }

  /// Answers the orders for outputs.
  void Open(const Status& status = OkStatus()) {
    for (const OutputOrder& order : std::exchange(outputs, {}))
      machine.OnOutputDone(order, status, "/staging", now);
    Take();
  }

  void Take() {
    Effects effects = machine.TakeEffects(now);
    for (SendFrame& send : effects.frames) {
      const auto frame = ParseFrame(send.frame);
      for (const std::string& text : frame->messages())
        said[send.peer].push_back(ParseMessage(text).value());
    }
    for (OutputOrder& order : effects.outputs) outputs.push_back(std::move(order));
    for (AppendRecord& record : effects.records) records.push_back(std::move(record.bytes));
  }

  /// The last reply to a client.
  wire::Reply LastReply(const std::string& peer) {
    return said[peer].empty() ? wire::Reply() : said[peer].back().reply();
  }

  CoordinatorMachine machine;
  TimeMs now = 1'800'000'000'000;
  std::map<std::string, std::vector<wire::Message>> said;
  std::vector<OutputOrder> outputs;
  std::vector<std::string> records;
};

}  // namespace spillway
