// MB/s of a partition's bytes from one worker to another over loopback: SegmentFetcher and
// FetchService, beside a bare ZeroMQ DEALER/ROUTER loop that keeps as many requests of the same
// size under way, with and without CURVE. Both sides run on this machine and share its cores.
//
// The bare loop copies each answer from memory into its message, as the server reads a segment, and
// drops what arrives. The fetcher also hashes on both sides, checks every block and copies it into
// a store: the difference is the price of that.
#include <benchmark/benchmark.h>
#include <zmq.h>

#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>

#include "mapreduce/base/check.h"
#include "runtime/transfer/fetch_service.h"
#include "runtime/transfer/message_memory.h"
#include "runtime/transfer/segment_fetcher.h"
#include "shuffle/format/segment_writer.h"
#include "shuffle/store/memory_segment_store.h"

namespace spillway {
namespace {

constexpr std::uint32_t kSegments = 4;
constexpr std::size_t kSegmentBytes = 64 << 20;
constexpr std::uint64_t kJob = 1;
const FetchLimits kLimits;

enum Keys : std::int64_t { kPlain, kCurve };

SegmentId IdOf(std::uint32_t map_task) { return {kJob, map_task, 0}; }

void CheckOk(const Status& status) {
  if (!status.ok()) SPILLWAY_CHECK_EQ(status.message(), "");
}

// Records that do not shrink, in one partition.
void WriteSegment(SegmentStore& store, const SegmentId& id) {
  auto file = store.Create(id);
  CheckOk(file.status());
  SegmentWriterOptions options;
  options.compression = Compression::kNone;
  SegmentWriter writer(id, 1, **file, options);
  std::mt19937_64 random(id.map_task);
  std::string value(1000, '\0');
  for (char& c : value) c = static_cast<char>(random());
  writer.BeginRun();
  for (std::size_t written = 0; written < kSegmentBytes; written += value.size()) {
    std::memcpy(value.data(), &written, sizeof written);
    CheckOk(writer.Add(0, MakeRecord("key", value)));
  }
  CheckOk(writer.FinishRun());
  CheckOk(writer.Finish().status());
  CheckOk((*file)->Commit());
}

MemoryBudget& Budget() {
  static MemoryBudget budget(std::uint64_t{4} << 30);
  return budget;
}

std::shared_ptr<SegmentStore> Segments() {
  static const std::shared_ptr<SegmentStore> store = [] {
    auto made = std::make_shared<MemorySegmentStore>(Budget());
    for (std::uint32_t map_task = 0; map_task < kSegments; ++map_task)
      WriteSegment(*made, IdOf(map_task));
    return made;
  }();
  return store;
}

// Fetches all segments and returns the bytes that came.
std::uint64_t FetchAll(SegmentFetcher& fetcher, FetchTicket ticket) {
  std::mutex mutex;
  std::condition_variable changed;
  std::uint32_t arrived = 0;
  for (std::uint32_t map_task = 0; map_task < kSegments; ++map_task)
    fetcher.Fetch(ticket, {IdOf(map_task), 0, 0}, [&](auto reader) {
      CheckOk(reader.status());
      std::lock_guard lock(mutex);
      ++arrived;
      changed.notify_all();
    });
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return arrived == kSegments; });
  }
  return fetcher.CancelAll(ticket).network_bytes;
}

void BM_Fetch(benchmark::State& state) {
  const bool curve = state.range(0) == kCurve;
  const KeyPair server_keys = curve ? NewKeyPair() : KeyPair();
  const KeyPair client_keys = curve ? NewKeyPair() : KeyPair();
  TransportContext context;
  FetchServiceOptions service_options;
  service_options.socket.endpoint = "tcp://127.0.0.1:0";
  service_options.socket.insecure = !curve;
  service_options.socket.keys = server_keys;
  if (curve)
    service_options.socket.authority = [&client_keys](std::string_view key) {
      return key == client_keys.public_key ? Role::kWorker : Role::kNone;
    };
  auto service =
      FetchService::Start(context, service_options, [](std::uint64_t) { return Segments(); });
  CheckOk(service.status());
  MemorySegmentStore copies(Budget());
  SegmentFetcherOptions options;
  options.limits = kLimits;
  options.keys = client_keys;
  options.job = kJob;
  SegmentFetcher fetcher(context, copies, Budget(), options);
  fetcher.SetSource(0, {(*service)->endpoint(), server_keys.public_key});
  FetchTicket ticket = 1;
  FetchAll(fetcher, ticket);  // A warm-up, and the handshake.
  std::uint64_t bytes = 0;
  for (auto _ : state) bytes += FetchAll(fetcher, ++ticket);
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}

void SetKeys(void* socket, const KeyPair& keys) {
  SPILLWAY_CHECK_EQ(zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, keys.secret_key.c_str(), 41), 0);
}

class BareServer {
 public:
  BareServer(void* context, const KeyPair& keys) : socket_(zmq_socket(context, ZMQ_ROUTER)) {
    const int yes = 1;
    if (!keys.empty()) zmq_setsockopt(socket_, ZMQ_CURVE_SERVER, &yes, sizeof yes);
    if (!keys.empty()) SetKeys(socket_, keys);
    SPILLWAY_CHECK_EQ(zmq_bind(socket_, "tcp://127.0.0.1:*"), 0);
    std::size_t size = sizeof endpoint_;
    zmq_getsockopt(socket_, ZMQ_LAST_ENDPOINT, endpoint_, &size);
    thread_ = std::thread([this] { Run(); });
  }
  ~BareServer() { thread_.join(); }

  const char* endpoint() const { return endpoint_; }

 private:
  // A request is the offset; one of more than 8 bytes ends the server.
  void Run() {
    const std::string source(kSegmentBytes, 's');
    char peer[32];
    char request[16];
    while (true) {
      const int peer_bytes = zmq_recv(socket_, peer, sizeof peer, 0);
      if (zmq_recv(socket_, request, sizeof request, 0) > 8) break;
      const auto offset =
          LoadLittle<std::uint64_t>(request) % (kSegmentBytes - kLimits.request_bytes);
      zmq_msg_t answer;
      zmq_msg_init_size(&answer, kLimits.request_bytes);
      std::memcpy(zmq_msg_data(&answer), source.data() + offset, kLimits.request_bytes);
      zmq_send(socket_, peer, static_cast<std::size_t>(peer_bytes), ZMQ_SNDMORE);
      zmq_msg_send(&answer, socket_, 0);
    }
    zmq_close(socket_);
  }

  void* const socket_;
  char endpoint_[128];
  std::thread thread_;
};

void BM_Bare(benchmark::State& state) {
  const bool curve = state.range(0) == kCurve;
  const KeyPair server_keys = curve ? NewKeyPair() : KeyPair();
  const KeyPair client_keys = curve ? NewKeyPair() : KeyPair();
  void* const context = zmq_ctx_new();
  {
    BareServer server(context, server_keys);
    void* const socket = zmq_socket(context, ZMQ_DEALER);
    if (curve) {
      SetKeys(socket, client_keys);
      zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, client_keys.public_key.c_str(), 41);
      zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, server_keys.public_key.c_str(), 41);
    }
    SPILLWAY_CHECK_EQ(zmq_connect(socket, server.endpoint()), 0);
    const std::uint64_t requests = kSegments * kSegmentBytes / kLimits.request_bytes;
    const std::uint64_t window = kLimits.source_window_bytes / kLimits.request_bytes;
    const auto run = [&] {
      std::uint64_t bytes = 0;
      for (std::uint64_t asked = 0, answered = 0; answered < requests; ++answered) {
        for (; asked < requests && asked < answered + window; ++asked) {
          const std::uint64_t offset = asked * kLimits.request_bytes;
          zmq_send(socket, &offset, sizeof offset, 0);
        }
        zmq_msg_t answer;
        zmq_msg_init(&answer);
        bytes += static_cast<std::uint64_t>(zmq_msg_recv(&answer, socket, 0));
        zmq_msg_close(&answer);
      }
      return bytes;
    };
    run();
    std::uint64_t bytes = 0;
    for (auto _ : state) bytes += run();
    state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
    zmq_send(socket, "the end of it", 13, 0);
    zmq_close(socket);
  }
  zmq_ctx_term(context);
}

void Configure(benchmark::internal::Benchmark* bench) {
  bench->ArgName("curve")->Arg(kPlain)->Arg(kCurve)->Iterations(2)->Repetitions(5);
  bench->UseRealTime()->MeasureProcessCPUTime()->ReportAggregatesOnly()->Unit(
      benchmark::kMillisecond);
}
BENCHMARK(BM_Bare)->Apply(Configure);
BENCHMARK(BM_Fetch)->Apply(Configure);

}  // namespace
}  // namespace spillway

int main(int argc, char** argv) {
  spillway::KeepMessageMemory();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
