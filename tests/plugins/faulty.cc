// A plugin that misbehaves as its argument says, at the line BOOM; the tests' user code.
#include <mapreduce/mapreduce.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace spillway;

namespace {

volatile int zero = 0;
volatile int million = 1'000'000;

int Overflow(int depth);
int (*volatile overflow)(int) = &Overflow;  // Volatile: the compiler must not see the recursion.

int Overflow(int depth) {
  volatile char frame[4096];
  frame[0] = static_cast<char>(depth);
  return overflow(depth + 1) + frame[0];
}

void Misbehave(std::string_view how) {
  if (how == "throw") throw std::out_of_range("index 7 of 3");
  if (how == "throw-int") throw 42;
  if (how == "bad-record") throw BadRecord("no such field");
  if (how == "abort") std::abort();
  if (how == "segv") ::raise(SIGSEGV);
  if (how == "null") *static_cast<volatile int*>(nullptr) = 1;
  if (how == "divide") zero = million / zero;
  if (how == "overflow") zero = Overflow(0);
  if (how == "exit") std::exit(0);
  if (how == "_exit") ::_exit(3);
  if (how == "_exit-0") ::_exit(0);
  if (how == "kill") ::raise(SIGKILL);
  if (how == "allocate") {
    std::vector<std::string> kept;
    while (true) kept.emplace_back(1 << 20, 'x');
  }
  if (how == "hang")
    while (true) std::this_thread::sleep_for(std::chrono::seconds(1));
  if (how == "terminate") std::terminate();
}

/// As many milliseconds as `how` says behind its colon.
void Sleep(std::string_view how) {
  std::this_thread::sleep_for(
      std::chrono::milliseconds(std::stoul(std::string(how.substr(how.find(':') + 1)))));
}

}  // namespace

class Faulty : public Mapper<TextLines, std::string, std::uint64_t> {
 public:
  Status Setup(TaskContext& context) {
    how_ = context.args()[0];
    lines_ = context.counter("faulty", "lines");
    if (how_ == "setup") return InvalidArgument("the model file is missing");
    return OkStatus();
  }
  void Map(const Line& line, Emitter& out) {
    lines_.Increment();
    // "map-gate:PATH" waits at the line GATE, and says so in PATH.waiting. "map-gate:PATH!HOW" also
    // does HOW at the line BOOM.
    if (line.text == "GATE" && how_.starts_with("map-gate:")) {
      const std::string gate(how_.substr(9, how_.find('!') - 9));
      std::ofstream(gate + ".waiting") << "at the gate";
      while (!std::filesystem::exists(gate))
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    if (line.text == "BOOM") Misbehave(how_.substr(how_.find('!') + 1));
    // "slow:N" takes N ms for each line, "random:N" also writes something else each time; "paced:N"
    // takes as long for each key.
    if (how_.starts_with("slow:") || how_.starts_with("random:") || how_.starts_with("paced:"))
      Sleep(how_);
    out.Emit(line.text, how_.starts_with("random:") ? std::random_device()() : 1);
  }

 private:
  std::string_view how_;
  Counter lines_;
};

class FaultyReducer : public Reducer<std::string, std::uint64_t> {
 public:
  Status Setup(TaskContext& context) {
    how_ = context.args()[0];
    // "gate:PATH" waits until the file exists, so that a test can do something meanwhile.
    if (how_.starts_with("gate:"))
      while (!std::filesystem::exists(how_.substr(5)))
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return OkStatus();
  }
  void Reduce(std::string_view key, Values& values, Emitter& out) {
    if (key == "BOOM" && how_.starts_with("reduce-")) Misbehave(how_.substr(7));
    if (how_.starts_with("paced:")) Sleep(how_);
    std::uint64_t sum = 0;
    for (const std::uint64_t value : values) sum += value;
    out.Emit(key, sum);
  }

 private:
  std::string_view how_;
};

struct CrashingOrder {
  static int Compare(std::string_view a, std::string_view b) {
    if (a == "BOOM") Misbehave("null");
    return a.compare(b);
  }
};

struct ThrowingOrder {
  static int Compare(std::string_view a, std::string_view b) {
    if (a == "BOOM") Misbehave("throw");
    return a.compare(b);
  }
};

class OutOfRange : public Partitioner<std::string> {
 public:
  std::uint32_t Partition(std::string_view key, std::uint32_t partitions) {
    return key == "BOOM" ? partitions : 0;
  }
};

SPILLWAY_PLUGIN("faulty", "misbehaves at the line BOOM", "HOW") {
  if (args.size() != 1) return InvalidArgument("say HOW");
  if (args[0] == "configure") throw std::runtime_error("configure threw");
  if (args[0] == "configure-int") throw 42;
  const auto job = NewJob().Map<Faulty>().Reduce<FaultyReducer>();
  if (args[0] == "partition") return job.Partition<OutOfRange>();
  if (args[0] == "compare") return job.SortBy<CrashingOrder>().Partition<HashPartitioner>();
  if (args[0] == "compare-throw") return job.SortBy<ThrowingOrder>().Partition<HashPartitioner>();
  return job;
}
