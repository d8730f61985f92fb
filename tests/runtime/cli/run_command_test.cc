#include <gmock/gmock.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "runtime/cli/signal_trap.h"
#include "tests/runtime/cli/fake_runner.h"
#include "tests/runtime/cli/golden_text.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;
using testing::SizeIs;

using Words = std::vector<std::string>;

Words Job(Words more = {}) {
  Words words = {"run", "./wordcount.so", "-i", "in", "-o", "out"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

std::string LastLine(const std::string& text) {
  if (text.empty() || text.back() != '\n') return "no line";
  const std::size_t before = text.rfind('\n', text.size() - 2);
  return text.substr(before == std::string::npos ? 0 : before + 1);
}

/// A directory with files named like plugins.
class PluginDirectory {
 public:
  explicit PluginDirectory(const Words& names) {
    char path[] = "/tmp/spillway_plugins_XXXXXX";
    path_ = mkdtemp(path);
    for (const std::string& name : names) {
      files_.push_back(path_ + "/" + name);
      std::ofstream(files_.back()) << "";
    }
  }
  ~PluginDirectory() {
    for (const std::string& file : files_) unlink(file.c_str());
    rmdir(path_.c_str());
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  Words files_;
};

TEST(RunCommand, AsksForWhatTheFlagsSay) {
  CommandBench bench;
  EXPECT_EQ(bench.Run(Job({"-i",        "b",           "c",          "--overwrite",
                           "--no-sync", "-r",          "7",          "--threads",
                           "3",         "--memory",    "1.5G",       "--spill-dir",
                           "/a",        "--spill-dir", "/b",         "--split-size",
                           "64M",       "--compress",  "none",       "--in-memory",
                           "--retries", "0",           "--skip-bad", "9",
                           "--timeout", "90s",         "--file",     "stop=words=1.txt",
                           "--",        "-x",          "y"})),
            0)
      << bench.err;
  ASSERT_THAT(bench.requests, SizeIs(1));
  const JobRequest& request = bench.requests[0];
  EXPECT_EQ(request.plugin_path, "./wordcount.so");
  EXPECT_THAT(request.inputs, ElementsAre("in", "b", "c"));
  EXPECT_EQ(request.output_dir, "out");
  EXPECT_EQ(request.overwrite, Overwrite::kWhole);
  EXPECT_FALSE(request.durable);
  EXPECT_EQ(request.reducers, 7u);
  EXPECT_EQ(request.threads, 3u);
  EXPECT_EQ(request.memory_bytes, 1536u << 20);
  EXPECT_THAT(request.spill_dirs, ElementsAre("/a", "/b"));
  EXPECT_EQ(request.split_bytes, 64u << 20);
  EXPECT_EQ(request.compression, Compression::kNone);
  EXPECT_TRUE(request.in_memory);
  EXPECT_EQ(request.attempts_max, 1u);
  EXPECT_EQ(request.skip_bad_max, 9u);
  EXPECT_EQ(request.task_timeout_ms, 90'000u);
  EXPECT_THAT(request.side_files, ElementsAre(Pair("stop", "words=1.txt")));
  EXPECT_THAT(request.args, ElementsAre("-x", "y"));
}

TEST(RunCommand, LeavesWhatIsNotNamedToTheRunner) {
  CommandBench bench;
  EXPECT_EQ(bench.Run(Job()), 0);
  const JobRequest defaults;
  const JobRequest& request = bench.requests.at(0);
  EXPECT_EQ(request.reducers, defaults.reducers);
  EXPECT_EQ(request.memory_bytes, defaults.memory_bytes);
  EXPECT_EQ(request.attempts_max, defaults.attempts_max);
  EXPECT_EQ(request.task_timeout_ms, defaults.task_timeout_ms);
  EXPECT_EQ(request.compression, defaults.compression);
  EXPECT_THAT(request.spill_dirs, IsEmpty());
}

TEST(RunCommand, BuiltInJobsAreTheFilesInThePluginDirectory) {
  const PluginDirectory plugins({"wordcount.so", "grep.so", "broken.so", "README"});
  CommandBench bench;
  bench.plugin_dir = plugins.path();
  EXPECT_EQ(bench.Run({"run", "grep", "-i", "a", "-o", "b"}), 0);
  EXPECT_EQ(bench.requests.at(0).plugin_path, plugins.path() + "/grep.so");

  EXPECT_EQ(bench.Run({"run", "--plugin", "mine.so", "-i", "a", "-o", "b"}), 0);
  EXPECT_EQ(bench.requests.at(1).plugin_path, "./mine.so");

  EXPECT_EQ(bench.Run({"run", "wordcuont", "-i", "a", "-o", "b"}), 64);
  EXPECT_THAT(bench.err, HasSubstr("no built-in job 'wordcuont'. Did you mean wordcount?"));

  EXPECT_EQ(bench.Run({"run"}), 0);
  EXPECT_THAT(bench.out, HasSubstr("\n  wordcount         a sample job\n"));
  EXPECT_THAT(bench.out, HasSubstr("arguments: -- PATTERN"));
  EXPECT_THAT(bench.out, HasSubstr("broken            does not load: "));
  EXPECT_THAT(bench.out, Not(HasSubstr("README")));
}

TEST(RunCommand, MistakesAreAnsweredAsReviewed) {
  const Words kMistakes[] = {
      {},
      {"run", "-i", "a", "-o", "b"},
      {"run", "-i", "a", "wordcount", "-o", "b"},
      {"run", "./j.so"},
      {"run", "./j.so", "-i", "a"},
      {"run", "./j.so", "-o", "b"},
      {"run", "./j.so", "-i", "a", "-o", "b", "-q", "-v"},
      {"run", "./j.so", "--plugin", "./k.so", "-i", "a", "-o", "b"},
      {"run", "./j.so", "-i", "a", "-o", "b", "--file", "x=1", "--file", "x=2"},
      {"run", "nothing_like_it", "-i", "a", "-o", "b"},
      {"run", "./j.so", "-i", "a", "-o", "b", "--reducer", "2"},
      {"rnu"},
      {"banana"},
      {"plugin"},
      {"plugin", "inspcet"},
      {"plugin", "--json"},
      {"plugin", "inspect"},
      {"help", "rum"},
      {"version", "now"},
      {"version", "--jsno"},
  };
  std::string answers;
  for (const Words& words : kMistakes) {
    CommandBench bench;
    const int exit_code = bench.Run(words);
    EXPECT_EQ(exit_code, 64) << bench.err;
    EXPECT_EQ(bench.out, "");
    EXPECT_EQ(bench.runs, 0);
    answers += "spillway";
    for (const std::string& word : words) answers += " " + word;
    answers += "\n" + bench.err + "\n";
  }
  ExpectGolden("command_mistakes.txt", answers);
}

TEST(RunCommand, ABadConfigurationIsItsOwnExitCode) {
  CommandBench bench;
  bench.environment = {{"SPILLWAY_MEMORY", "4GBB"}};
  EXPECT_EQ(bench.Run(Job()), 78);
  EXPECT_THAT(bench.err, HasSubstr("SPILLWAY_MEMORY: '4GBB' is not a size"));
  EXPECT_EQ(bench.Run(Job({"--json"})), 78);
  EXPECT_EQ(nlohmann::json::parse(bench.out)["exit_code"], 78);
  EXPECT_THAT(bench.requests, IsEmpty());
}

TEST(RunCommand, AFailedPreparationExitsByItsStatus) {
  CommandBench bench;
  bench.prepare_status = NotFound("in: no such file. Check the path.");
  EXPECT_EQ(bench.Run(Job()), 66);
  EXPECT_EQ(bench.err, "spillway: in: no such file. Check the path.\n");
  EXPECT_EQ(bench.out, "");
  EXPECT_EQ(bench.Run(Job({"--json"})), 66);
  const auto json = nlohmann::json::parse(bench.out);
  EXPECT_EQ(json["exit_code"], 66);
  EXPECT_EQ(json["status"], "NOT_FOUND");
}

TEST(RunCommand, EachMistakeEndsWithThePromisedObject) {
  const Words kMistakes[] = {
      {"run", "--json", "--nonsense"},
      {"run", "./j.so", "-i", "a", "-o", "b", "--memory", "1Q", "--json"},
      {"run", "./j.so", "-i", "a", "-o", "b", "-r", "1", "-r", "2", "--json=events"},
      {"run", "./j.so", "./k.so", "-i", "a", "-o", "b", "--json"},
      {"run", "./j.so", "-i", "a", "--json=yaml"},
      {"submit", "./j.so", "-i", "a", "-o", "b", "--json", "--on"},
      {"submit", "./j.so", "-i", "a", "-o", "b", "--json"},
      {"stream", "-i", "a", "-o", "b", "--json"},
      {"stream", "-m", "cat", "-r", "4", "-i", "a", "-o", "b", "--json"},
      {"stream", "-m", "cat", "-r", "cat", "-i", "a", "-o", "b", "--file", "../=x", "--json"},
      {"run", "no_such_job", "-i", "a", "-o", "b", "--json"},
  };
  for (const Words& words : kMistakes) {
    CommandBench bench;
    EXPECT_EQ(bench.Run(words), 64) << bench.err;
    const auto json = nlohmann::json::parse(bench.out, nullptr, false);
    ASSERT_TRUE(json.is_object()) << bench.err << bench.out;
    EXPECT_EQ(json["event"], "summary");
    EXPECT_EQ(json["exit_code"], 64);
    EXPECT_EQ(json["status"], "INVALID_ARGUMENT");
    EXPECT_EQ(bench.err, "spillway: " + json["message"].get<std::string>() + "\n");
    EXPECT_EQ(bench.runs, 0);
  }
  CommandBench bench;
  EXPECT_EQ(bench.Run({"run", "--nonsense", "--", "--json"}), 64);
  EXPECT_EQ(bench.out, "") << "that is the job's own argument";
}

TEST(RunCommand, AFailedJobShowsWarningsAndCause) {
  CommandBench bench;
  bench.report.status = UserCodeError("WordMapper threw: bad word");
  EXPECT_EQ(bench.Run(Job({"--progress", "none"})), 1);
  EXPECT_EQ(bench.err,
            "spillway: warning: one block of map 3 was damaged and read again\n"
            "spillway: WordMapper threw: bad word\n");
}

TEST(RunCommand, ResultsAndRemarksAreApart) {
  CommandBench bench;
  EXPECT_EQ(bench.Run(Job()), 0);
  EXPECT_EQ(bench.out, "");
  ExpectGolden("run_plain.txt", bench.err);

  EXPECT_EQ(bench.Run(Job({"--quiet"})), 0);
  EXPECT_EQ(bench.out + bench.err, "");

  EXPECT_EQ(bench.Run(Job({"--explain", "--progress", "none"})), 0);
  EXPECT_EQ(bench.out, "");
  EXPECT_THAT(bench.err, HasSubstr("4: two for each thread"));
}

TEST(RunCommand, JsonSummaryIsTheLastLineOfStdout) {
  CommandBench bench;
  EXPECT_EQ(bench.Run(Job({"--json"})), 0);
  EXPECT_EQ(LastLine(bench.out), bench.out);
  const auto json = nlohmann::json::parse(bench.out);
  EXPECT_EQ(json["event"], "summary");
  EXPECT_EQ(json["spilled_bytes"], 120 << 20);

  EXPECT_EQ(bench.Run(Job({"--json=events"})), 0);
  EXPECT_EQ(nlohmann::json::parse(bench.out.substr(0, bench.out.find('\n')))["event"], "plan");
  EXPECT_EQ(nlohmann::json::parse(LastLine(bench.out))["event"], "summary");

  EXPECT_EQ(bench.Run(Job({"--json", "--explain"})), 0);
  EXPECT_TRUE(nlohmann::json::parse(bench.out.substr(0, bench.out.find('\n'))).contains("reasons"));
}

TEST(RunCommand, ADryRunPrintsThePlanAndRunsNothing) {
  CommandBench bench;
  bench.plan.scratch[0].free_bytes = 10 << 20;
  EXPECT_EQ(bench.Run(Job({"--dry-run"})), 0);
  EXPECT_EQ(bench.runs, 0);
  EXPECT_THAT(bench.out, HasSubstr("Plan for wordcount"));
  EXPECT_THAT(bench.err, HasSubstr("warning: the job may spill 300 MiB, but only 10 MiB are free"));
  EXPECT_EQ(bench.Run(Job({"--dry-run", "--json"})), 0);
  EXPECT_EQ(bench.runs, 0);
  const auto json = nlohmann::json::parse(LastLine(bench.out));
  EXPECT_EQ(json["event"], "plan");
  EXPECT_THAT(json["warnings"], SizeIs(1));
}

TEST(RunCommand, ColourNeedsATerminalAndConsent) {
  CommandBench bench;
  bench.err_is_terminal = true;
  bench.environment = {{"TERM", "xterm"}};
  bench.Run(Job());
  EXPECT_THAT(bench.err, HasSubstr("\x1b["));
  bench.Run(Job({"--no-color", "--progress", "plain"}));
  EXPECT_THAT(bench.err, Not(HasSubstr("\x1b")));
  bench.environment["NO_COLOR"] = "1";
  bench.Run(Job({"--progress", "plain"}));
  EXPECT_THAT(bench.err, Not(HasSubstr("\x1b")));
  bench.environment = {{"TERM", "dumb"}};
  bench.Run(Job());
  EXPECT_THAT(bench.err, Not(HasSubstr("\x1b")));
}

TEST(RunCommand, TheFirstSignalCancelsAndNamesTheExitCode) {
  for (const auto& [signal, exit_code] : {std::pair(SIGINT, 130), std::pair(SIGTERM, 143)}) {
    CommandBench bench;
    bench.on_run = [signal = signal](FakeRunner& runner) {
      raise(signal);
      EXPECT_TRUE(runner.cancelled());
    };
    EXPECT_EQ(bench.Run(Job({"--progress", "none"})), exit_code);
    EXPECT_THAT(bench.err, HasSubstr("the job was cancelled. No output was written."));
  }
}

TEST(SignalTrapDeathTest, TheSecondSignalEndsTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto twice = [] {
    FakeRunner runner(SamplePlan(), SampleReport(), nullptr);
    const SignalTrap trap(runner);
    raise(SIGTERM);
    raise(SIGINT);
    _exit(99);
  };
  EXPECT_EXIT(twice(), testing::ExitedWithCode(130), "");
}

TEST(SignalTrap, RestoresTheHandlersAndLeavesIgnoredSignalsIgnored) {
  struct sigaction before = {}, after = {};
  signal(SIGHUP, SIG_IGN);
  {
    FakeRunner runner(SamplePlan(), SampleReport(), nullptr);
    const SignalTrap trap(runner);
    raise(SIGHUP);
    EXPECT_EQ(trap.signal(), 0);
    EXPECT_FALSE(runner.cancelled());
    sigaction(SIGINT, nullptr, &before);
    EXPECT_NE(before.sa_handler, SIG_DFL);
  }
  signal(SIGHUP, SIG_DFL);
  sigaction(SIGINT, nullptr, &after);
  EXPECT_EQ(after.sa_handler, SIG_DFL);
}

TEST(InspectCommand, ShowsThePluginOrItsFault) {
  CommandBench bench;
  EXPECT_EQ(bench.Run({"plugin", "inspect", "./grep.so"}), 0);
  ExpectGolden("inspect.txt", bench.out);
  EXPECT_EQ(bench.Run({"plugin", "inspect", "./grep.so", "--json"}), 0);
  EXPECT_EQ(nlohmann::json::parse(bench.out)["usage"], "PATTERN");
  EXPECT_EQ(bench.Run({"plugin", "inspect", "./broken.so"}), 65);
  EXPECT_EQ(bench.out, "");
  EXPECT_THAT(bench.err, HasSubstr("built for plugin ABI 7"));
}

TEST(SpillwayCommand, HelpIsAResult) {
  CommandBench bench;
  for (const Words& words : {Words{"help"}, Words{"--help"}, Words{"-h"}}) {
    EXPECT_EQ(bench.Run(words), 0);
    EXPECT_THAT(bench.out, HasSubstr("Commands:"));
    EXPECT_EQ(bench.err, "");
  }
  for (const Words& words :
       {Words{"help", "plugin", "inspect"}, Words{"plugin", "inspect", "-h"}}) {
    EXPECT_EQ(bench.Run(words), 0);
    EXPECT_THAT(bench.out, HasSubstr("Usage: spillway plugin inspect"));
  }
  EXPECT_EQ(bench.Run({"run", "--nonsense", "--help"}), 0);
}

TEST(SpillwayCommand, VersionNamesTheAbi) {
  CommandBench bench;
  EXPECT_EQ(bench.Run({"--version"}), 0);
  EXPECT_THAT(bench.out, HasSubstr("plugin ABI  1"));
  EXPECT_EQ(bench.Run({"version", "--json"}), 0);
  EXPECT_EQ(nlohmann::json::parse(bench.out)["abi_version"], 1);
}

TEST(SpillwayCommand, AnExceptionOfALibraryIsABugOfOurs) {
  CommandBench bench;
  bench.on_run = [](FakeRunner&) { throw std::runtime_error("surprise"); };
  EXPECT_EQ(bench.Run(Job({"-q"})), 70);
  EXPECT_THAT(bench.err, HasSubstr("a bug in Spillway: surprise"));
}

}  // namespace
}  // namespace spillway
