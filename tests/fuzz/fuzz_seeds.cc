// fuzz_seeds DIR: writes inputs to begin with, DIR/<target>/<name>. They are made by the code that
// writes what the targets read, so that they are of the format's present version.
#include <google/protobuf/message.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "mapreduce/base/coding.h"
#include "mapreduce/builtin/pair_file.h"
#include "mapreduce/codec_tuple.h"
#include "mapreduce/loop_bytes.h"
#include "mapreduce/loop_file.h"
#include "runtime/protocol/frame.h"
#include "runtime/protocol/journal.pb.h"
#include "runtime/storage/turn_rows.h"
#include "tests/fuzz/fuzz_steps.h"
#include "tests/runtime/coordinator/machine_bench.h"

using namespace spillway;

namespace {

namespace pb = google::protobuf;

// Choices of coordinator_fuzz and worker_fuzz, of the first peer and of job 1.
constexpr std::uint8_t kOutside = 1, kInSession = 2, kOpened = 5, kTime = 7;
constexpr std::uint8_t kFromClient = kOutside + 8;
constexpr std::uint8_t kFromExecutor = 6 + 16, kPrepared = 8, kExecutorEnded = 10 + 16;

constexpr int kDepthMax = 6;

class Seeds {
 public:
  explicit Seeds(std::filesystem::path directory) : directory_(std::move(directory)) {}
  void Add(const std::string& target, const std::string& name, std::string_view bytes) {
    const std::filesystem::path folder = directory_ / target;
    std::filesystem::create_directories(folder);
    std::ofstream(folder / name, std::ios::binary) << bytes;
  }

 private:
  const std::filesystem::path directory_;
};

/// A value for the field: of a message, all of its fields in turn.
void SetField(pb::Message& message, const pb::FieldDescriptor& field, int depth) {
  const pb::Reflection& in = *message.GetReflection();
  const bool many = field.is_repeated();
  switch (field.cpp_type()) {
    case pb::FieldDescriptor::CPPTYPE_MESSAGE: {
      if (depth == kDepthMax) return;
      pb::Message& inner =
          many ? *in.AddMessage(&message, &field) : *in.MutableMessage(&message, &field);
      for (int i = 0; i < inner.GetDescriptor()->field_count(); ++i)
        SetField(inner, *inner.GetDescriptor()->field(i), depth + 1);
      return;
    }
    case pb::FieldDescriptor::CPPTYPE_STRING:
      return many ? in.AddString(&message, &field, "/x") : in.SetString(&message, &field, "/x");
    case pb::FieldDescriptor::CPPTYPE_UINT32:
      return many ? in.AddUInt32(&message, &field, 1) : in.SetUInt32(&message, &field, 1);
    case pb::FieldDescriptor::CPPTYPE_UINT64:
      return many ? in.AddUInt64(&message, &field, 1) : in.SetUInt64(&message, &field, 1);
    case pb::FieldDescriptor::CPPTYPE_INT64: return in.SetInt64(&message, &field, 1);
    case pb::FieldDescriptor::CPPTYPE_BOOL: return in.SetBool(&message, &field, true);
    case pb::FieldDescriptor::CPPTYPE_DOUBLE: return in.SetDouble(&message, &field, 0.5);
    case pb::FieldDescriptor::CPPTYPE_ENUM: return in.SetEnumValue(&message, &field, 1);
    default: return;
  }
}

/// Calls each(name, message) for a message of every kind that the type has.
template <class MessageType, class Each>
void ForEachKind(Each&& each) {
  const pb::Descriptor& type = *MessageType::descriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const pb::FieldDescriptor& field = *type.field(i);
    if (field.containing_oneof() == nullptr) continue;
    MessageType message;
    SetField(message, field, 0);
    each(field.name(), message);
  }
}

std::string RegisterText() {
  wire::Message message;
  wire::Register& details = *message.mutable_register_();
  details.set_version_min(kProtocolVersionMin);
  details.set_version_max(kProtocolVersion);
  details.set_incarnation(7);
  details.set_slots(4);
  details.set_name("w");
  details.set_host("h");
  details.set_registration(1);
  return message.SerializeAsString();
}

std::string SubmitText(const wire::JobSpec& spec) {
  wire::Message message;
  wire::SubmitChunk& submit = *message.mutable_request()->mutable_submit();
  message.mutable_request()->set_id(1);
  submit.set_upload(1);
  submit.set_bytes(spec.SerializeAsString());
  submit.set_total_bytes(submit.bytes().size());
  return message.SerializeAsString();
}

std::string MapDoneText(std::uint32_t map) {
  wire::Message message;
  message.mutable_map_done()->mutable_attempt()->set_job(1);
  message.mutable_map_done()->mutable_attempt()->set_task(map);
  message.mutable_map_done()->set_segment_bytes(10);
  message.mutable_map_done()->add_partition_hashes(map);
  return message.SerializeAsString();
}

std::string CommitText() {
  wire::Message message;
  wire::CommitRequest& request = *message.mutable_commit_request();
  request.mutable_attempt()->set_job(1);
  request.mutable_attempt()->set_kind(wire::REDUCE);
  request.mutable_part()->set_bytes(3);
  return message.SerializeAsString();
}

/// A worker, a job, and its output open.
std::string BeginJob() {
  std::string steps;
  FuzzSteps::Append(steps, kOutside, RegisterText());
  FuzzSteps::Append(steps, kFromClient, SubmitText(SampleSpec(2, 1)));
  FuzzSteps::Append(steps, kOpened, "");
  return steps;
}

void AddCoordinators(Seeds& seeds) {
  std::string whole = BeginJob();
  for (const std::string& text : {MapDoneText(0), MapDoneText(1), CommitText()})
    FuzzSteps::Append(whole, kInSession, text);
  FuzzSteps::Append(whole, kOpened, "");
  FuzzSteps::Append(whole, kTime, "1234");
  seeds.Add("coordinator_fuzz", "job", whole);
  ForEachKind<wire::Message>([&](const std::string& name, const wire::Message& message) {
    std::string steps = BeginJob();
    FuzzSteps::Append(steps, kInSession, message.SerializeAsString());
    FuzzSteps::Append(steps, kFromClient, message.SerializeAsString());
    FuzzSteps::Append(steps, kTime, std::string(60, 'x'));
    seeds.Add("coordinator_fuzz", name, steps);
  });
}

/// A session, a job, and its executor ready.
std::string BeginWork() {
  std::string steps;
  wire::Message message;
  wire::Registered& registered = *message.mutable_registered();
  registered.set_version(kProtocolVersion);
  registered.set_worker(1);
  registered.set_epoch(1);
  registered.set_session(9);
  registered.set_registration(1);
  FuzzSteps::Append(steps, kOutside, message.SerializeAsString());
  message.mutable_start_job()->set_job(1);
  FuzzSteps::Append(steps, kInSession, message.SerializeAsString());
  FuzzSteps::Append(steps, kPrepared, "");
  message.mutable_start_map()->mutable_attempt()->set_job(1);
  FuzzSteps::Append(steps, kInSession, message.SerializeAsString());
  message.mutable_executor_ready()->set_job(1);
  FuzzSteps::Append(steps, kFromExecutor, message.SerializeAsString());
  return steps;
}

void AddWorkers(Seeds& seeds) {
  std::string whole = BeginWork();
  FuzzSteps::Append(whole, kFromExecutor, MapDoneText(0));
  FuzzSteps::Append(whole, kExecutorEnded, "");
  seeds.Add("worker_fuzz", "job", whole);
  ForEachKind<wire::Message>([&](const std::string& name, const wire::Message& message) {
    std::string steps = BeginWork();
    FuzzSteps::Append(steps, kInSession, message.SerializeAsString());
    FuzzSteps::Append(steps, kFromExecutor, message.SerializeAsString());
    FuzzSteps::Append(steps, kExecutorEnded, "");
    seeds.Add("worker_fuzz", name, steps);
  });
}

void AddFrames(Seeds& seeds) {
  ForEachKind<wire::Message>([&](const std::string& name, const wire::Message& message) {
    wire::Frame frame;
    frame.set_version(kProtocolVersion);
    frame.set_session(5);
    frame.set_first_sequence(1);
    frame.add_messages(message.SerializeAsString());
    frame.add_messages(message.SerializeAsString());
    seeds.Add("protocol_fuzz", name, LoneFrame(message));
    seeds.Add("protocol_fuzz", name + "-session", frame.SerializeAsString());
  });
}

void AddJournals(Seeds& seeds) {
  MachineBench bench;
  wire::Frame frame;
  frame.set_version(kProtocolVersion);
  frame.add_messages(RegisterText());
  bench.machine.OnFrame("w", Role::kNone, frame.SerializeAsString(), bench.now);
  bench.Take();
  bench.Submit("c", SampleSpec(2, 1));
  bench.Open();
  std::string steps;
  TurnRows rows(1 << 20);
  for (const std::string& record : bench.records) {
    FuzzSteps::Append(steps, 0, record);
    rows.Append(1, record);
  }
  seeds.Add("journal_fuzz", "job", steps);
  seeds.Add("journal_fuzz", "row", rows.rows()[0].records);
  ForEachKind<wire::JournalRecord>([&](const std::string& name, const wire::JournalRecord& record) {
    std::string more = steps;
    FuzzSteps::Append(more, 0, record.SerializeAsString());
    seeds.Add("journal_fuzz", name, more);
  });
}

void AddTexts(Seeds& seeds) {
  seeds.Add("config_fuzz", "all",
            "memory = \"2G\"\nthreads = 4\nspill-dir = [\"/disk1\", '/disk2']\nin-memory = true\n"
            "# a remark\nsplit-size = \"64M\"\nreducers = 0x10\n[table]\nkey = 1979-05-27\n");
  seeds.Add("csv_fuzz", "rows", "\xef\xbb\xbf\"a\"\"b\",c\r\n\r\n,\"x\ny\",\n\"z\"q,\"");
  seeds.Add("stream_fuzz", "lines",
            "reporter:counter:a,b,3\nreporter:status:here\nkey\tvalue\n\nx\\-k1,2nr -r\\");
  seeds.Add("units_fuzz", "size", "1.5GiB");
}

void AddFiles(Seeds& seeds) {
  const std::string state = [] {
    LoopWriter out;
    out.Put(std::uint32_t{3});
    out.Put(std::string("text"));
    out.Put(std::vector<double>{1, 2, 3});
    out.Put(std::vector<double>{4, 5});
    return out.bytes();
  }();
  seeds.Add("loop_fuzz", "round", "\1" + LoopFile{3, 9, state}.Encode());

  std::string pairs;
  PairBlock block;
  const std::string payload("\1\2abc\0\3xyz", 10);
  block.payload_bytes = static_cast<std::uint32_t>(payload.size());
  block.pairs = 2;
  block.checksum = Xxh64(payload);
  char head[PairBlock::kHeadBytes];
  block.Encode(head);
  pairs.append(head, sizeof head).append(payload);
  block = {.first_pair = 2, .checksum = Xxh64("")};
  block.Encode(head);
  pairs.append(head, sizeof head);
  seeds.Add("pairs_fuzz", "pairs", "\1" + pairs);
  seeds.Add("pairs_fuzz", "chain", std::string("\0", 1) + "stage-0\t/out/a\nstage-1\t/out/b\n");
}

void AddThisProgram(Seeds& seeds) {
  std::ifstream program("/proc/self/exe", std::ios::binary);
  std::string head(64, '\0');
  program.read(head.data(), static_cast<std::streamsize>(head.size()));
  std::memset(head.data() + 40, 0, 24);  // So that it has no sections, and is whole.
  seeds.Add("elf_fuzz", "library", head);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: fuzz_seeds DIR\n");
    return 64;
  }
  Seeds seeds(argv[1]);
  AddFrames(seeds);
  AddCoordinators(seeds);
  AddWorkers(seeds);
  AddJournals(seeds);
  AddTexts(seeds);
  AddFiles(seeds);
  AddThisProgram(seeds);
  return 0;
}
