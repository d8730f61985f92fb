// JobTest: a whole job inside a test, on inputs in memory and through the same C interface as in
// the command. It says what the job's classes do; how fast, and what a full disk does, is the
// engine's part.
//
//   JobOutcome outcome = PluginTest().Input("to be\nor not to be\n").Run();
//   EXPECT_EQ(outcome.lines(), Lines({"be\t2", "not\t1", "or\t1", "to\t2"}));
//   EXPECT_EQ(outcome.counter("words", "long"), 0);
//
// What crashes or hangs does so in the test. One thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mapreduce/job.h"
#include "mapreduce/testing/job_run.h"
#include "mapreduce/testing/loop_run.h"
#include "mapreduce/testing/test_host.h"

/// The plugin that the test program is linked with; SPILLWAY_PLUGIN defines it.
extern "C" __attribute__((visibility("default"))) const spillway_plugin* spillway_plugin_v1();

namespace spillway {

/// What a job came to.
struct JobOutcome {
  Status status;                   ///< The first failure, with the user's class in its message.
  std::vector<std::string> parts;  ///< The bytes of part-00000 and so on; empty after a failure.
  TestCounters counters;
  /// What was written to directories of the output, such as "errors": of all tasks in their order.
  std::map<std::string, std::string> directories = {};

  /// All parts one behind the other.
  std::string text() const {
    std::string all;
    for (const std::string& part : parts) all += part;
    return all;
  }

  /// The lines of all parts, without their newlines. After a failure, what it was: a test that
  /// expects other lines then shows it.
  std::vector<std::string> lines() const {
    if (!status.ok()) return {"the job failed: " + status.message()};
    std::vector<std::string> lines;
    const std::string all = text();
    for (std::size_t at = 0; at < all.size();) {
      const std::size_t end = std::min(all.find('\n', at), all.size());
      lines.push_back(all.substr(at, end - at));
      at = end + 1;
    }
    return lines;
  }

  /// 0 for a counter that was never touched.
  std::uint64_t counter(const std::string& group, const std::string& name) const {
    const auto found = counters.find({group, name});
    return found == counters.end() ? 0 : found->second;
  }
};

/// Reads better than its type in an EXPECT_EQ.
using Lines = std::vector<std::string>;

class JobTest {
 public:
  /// Of a description: JobTest(NewJob().Map<M>().Reduce<R>()).
  explicit JobTest(Job job) {
    status_ = job.Validate();
    if (status_.ok()) job_ = {Job::Publish(std::move(job), "test"), &Job::Release};
  }

  /// Of a plugin that is given these arguments of its own. A refusal is the outcome's status.
  explicit JobTest(const spillway_plugin& plugin, std::vector<std::string> args = {}) {
    setup_.args = std::move(args);
    std::vector<const char*> words;
    for (const std::string& arg : setup_.args) words.push_back(arg.c_str());
    char error[1024] = "";
    const spillway_job* job = plugin.configure(words.data(), words.size(), error, sizeof error);
    if (job == nullptr) {
      status_ = InvalidArgument(error);
    } else {
      job_ = {job, plugin.release};
    }
  }

  /// Adds an input file. `path` is what the mapper sees as its name; no file is read.
  JobTest& Input(std::string bytes, std::string path = "input") {
    return InputOf("", std::move(bytes), std::move(path));
  }

  /// The same, of a job whose inputs have names. The command would take the inputs in their order.
  JobTest& InputOf(std::string_view name, std::string bytes, std::string path = "input") {
    const std::size_t count = job_ == nullptr ? 0 : job_->input_count;
    std::uint32_t input = 0;
    while (input < count && job_->inputs[input].name != name) ++input;
    if (job_ != nullptr && (count == 0 ? !name.empty() : input == count))
      status_ = InvalidArgument(name.empty() ? "the job's inputs have names: use InputOf"
                                             : "the job has no input '" + std::string(name) + "'");
    inputs_.push_back({std::move(path), std::move(bytes), input});
    return *this;
  }

  /// A side file that the job opens as `name`: a path of the test's own.
  JobTest& SideFile(std::string name, std::string path) {
    setup_.side_files[std::move(name)] = std::move(path);
    return *this;
  }

  /// Reduce tasks, 1 unless said. Which of several parts has a key may differ from the command's.
  JobTest& Reducers(std::uint32_t count) {
    reducers_ = count;
    return *this;
  }

  /// An iterative job goes round after round, with the counters of its last one. Where its sums
  /// are of floating-point numbers, they depend on the shape in their last bits.
  JobOutcome Run(const TestShape& shape = {}) const {
    if (!status_.ok()) return {status_, {}, {}};
    if (job_->loop != nullptr) return OutcomeOf(internal::LoopRun(*job_, setup_, inputs_, shape));
    return OutcomeOf(internal::JobRun(*job_, setup_, inputs_, reducers_, shape));
  }

  /// Null when the job was refused.
  const spillway_job* description() const { return job_.get(); }

 private:
  template <class Run>
  static JobOutcome OutcomeOf(Run run) {
    JobOutcome outcome;
    outcome.status = run.Run();
    if (outcome.status.ok()) outcome.parts = run.parts();
    outcome.counters = run.counters();
    if (outcome.status.ok()) outcome.directories = run.directories();
    return outcome;
  }

  Status status_;
  std::shared_ptr<const spillway_job> job_;
  TestSetup setup_;
  std::vector<internal::TestInput> inputs_;
  std::uint32_t reducers_ = 1;
};

/// The job of the plugin that this program is linked with.
inline JobTest PluginTest(std::vector<std::string> args = {}) {
  return JobTest(*spillway_plugin_v1(), std::move(args));
}

}  // namespace spillway
