#include "runtime/local/job_spec.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include "runtime/storage/content_hash.h"
#include "runtime/storage/posix_file_system.h"
#include "tests/runtime/client/job_files.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class JobSpecTest : public testing::Test {
 protected:
  JobSpecTest() {
    files_.WriteWords("a", 1, 3'000);
    files_.WriteWords("b", 2, 500);
    files_.Write("stop", "w1\nw2\n");
  }

  PreparedJob Prepare(const JobRequest& request) {
    auto job = PrepareJob(system_, request);
    EXPECT_TRUE(job.ok()) << job.status().message();
    return std::move(job).value();
  }

  PosixFileSystem system_;
  JobFiles files_;
};

TEST_F(JobSpecTest, SaysAllThatWasPlanned) {
  JobRequest request = files_.Request("grep", "out");
  request.args = {"w1[0-9]"};
  request.side_files = {{"stop", files_.Path("stop")}};
  request.overwrite = Overwrite::kWhole;
  request.compression = Compression::kNone;
  request.attempts_max = 2;
  request.skip_bad_max = 5;
  request.task_timeout_ms = 7'000;
  const PreparedJob job = Prepare(request);
  const auto spec =
      MakeJobSpec(job, {"m", "t"}, {.key = "today", .weight = 3, .allow_nondeterminism = true});
  ASSERT_TRUE(spec.ok()) << spec.status().message();
  EXPECT_EQ(spec->name(), job.plan.job_name);
  EXPECT_EQ(spec->submission_key(), "today");
  EXPECT_NE(spec->user(), "");
  EXPECT_EQ(spec->plugin().sha256(), *FileSha256(request.plugin_path));
  EXPECT_THAT(spec->plugin().sha256(), SizeIs(32));
  EXPECT_EQ(spec->plugin().bytes(), boost::filesystem::file_size(request.plugin_path));
  ASSERT_THAT(spec->side_files(), SizeIs(1));
  EXPECT_EQ(spec->side_files(0).sha256(), *FileSha256(files_.Path("stop")));
  EXPECT_THAT(spec->range_cuts(), ElementsAre("m", "t"));
  EXPECT_EQ(spec->limits().weight(), 3u);
  EXPECT_TRUE(spec->limits().allow_nondeterminism());
  EXPECT_TRUE(spec->limits().speculate());
  EXPECT_EQ(spec->parts(), job.parts);
  EXPECT_EQ(spec->map_only(), job.map_only());
  EXPECT_EQ(spec->input_bytes(), job.plan.input_bytes);
  EXPECT_EQ(spec->map_bytes_max(), job.map_bytes_max);
}

TEST_F(JobSpecTest, IsAssociativeWithAFoldOrACombinerThatSaysItIsExact) {
  const auto associative = [&](const std::string& plugin, std::vector<std::string> args) {
    JobRequest request = files_.Request("grep", "out");
    request.plugin_path = plugin;
    request.args = std::move(args);
    return MakeJobSpec(Prepare(request), {}, {})->associative();
  };
  EXPECT_TRUE(associative(TestPlugin("skewed"), {"fold"}));
  EXPECT_TRUE(associative(TestPlugin("skewed"), {"combiner"}));
  EXPECT_FALSE(associative(TestPlugin("skewed"), {"doubles"})) << "its combiner does not say so";
  EXPECT_FALSE(associative(BuiltInPlugin("inverted_index"), {})) << "nothing that combines";
}

TEST_F(JobSpecTest, SaysWhereTheInputLies) {
  const PreparedJob job = Prepare(files_.Request("inverted_index", "out"));
  SubmissionOptions options;
  ASSERT_TRUE(options.places.Add("/=everywhere").ok());
  const auto spec = MakeJobSpec(job, {}, options);
  ASSERT_TRUE(spec.ok()) << spec.status().message();
  ASSERT_GT(spec->maps_size(), 0);
  for (const wire::MapInput& map : spec->maps())
    EXPECT_THAT(map.places(), ElementsAre("everywhere"));
  const auto unplaced = MakeJobSpec(job, {}, {});
  EXPECT_EQ(unplaced->maps(0).places_size(), 0);
}

TEST_F(JobSpecTest, GivesBackTheRequestTheInputsAndTheMaps) {
  JobRequest request = files_.Request("inverted_index", "out");
  request.side_files = {{"stop", files_.Path("stop")}};
  request.overwrite = Overwrite::kWhole;
  request.compression = Compression::kLz4;
  request.attempts_max = 2;
  request.skip_bad_max = 5;
  request.task_timeout_ms = 7'000;
  const PreparedJob job = Prepare(request);
  EXPECT_GT(job.maps.size(), 3u);
  const auto made = MakeJobSpec(job, {}, {.key = "k"});
  ASSERT_TRUE(made.ok()) << made.status().message();
  wire::JobSpec spec;
  ASSERT_TRUE(spec.ParseFromString(made->SerializeAsString()));

  EXPECT_EQ(MapsOf(spec), job.maps);
  const auto inputs = InputsOf(spec);
  ASSERT_EQ(inputs.size(), job.inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    EXPECT_EQ(inputs[i].path, job.inputs[i].path);
    EXPECT_EQ(inputs[i].info.bytes, job.inputs[i].info.bytes);
    EXPECT_EQ(inputs[i].info.inode, job.inputs[i].info.inode);
    EXPECT_EQ(inputs[i].info.mtime_ns, job.inputs[i].info.mtime_ns);
  }
  const JobRequest back = RequestOf(spec);
  EXPECT_EQ(back.inputs, request.inputs);
  EXPECT_EQ(back.output_dir, request.output_dir);
  EXPECT_EQ(back.reducers, job.parts);
  EXPECT_EQ(back.overwrite, request.overwrite);
  EXPECT_EQ(back.durable, request.durable);
  EXPECT_EQ(back.compression, request.compression);
  EXPECT_EQ(back.attempts_max, request.attempts_max);
  EXPECT_EQ(back.skip_bad_max, request.skip_bad_max);
  EXPECT_EQ(back.task_timeout_ms, request.task_timeout_ms);
  EXPECT_EQ(back.side_files, request.side_files);
}

TEST_F(JobSpecTest, PathsAreAbsoluteAndLinksInThemStay) {
  boost::filesystem::create_symlink(files_.Path("a"), files_.Path("link"));
  const auto before = boost::filesystem::current_path();
  boost::filesystem::current_path(files_.Path(""));
  JobRequest request = files_.Request("wordcount", "unused");
  request.inputs = {"./link", "b"};
  request.output_dir = "./some/../out";
  boost::filesystem::create_directory("some");
  const auto spec = MakeJobSpec(Prepare(request), {}, {.key = "k"});
  boost::filesystem::current_path(before);
  ASSERT_TRUE(spec.ok()) << spec.status().message();
  EXPECT_EQ(spec->inputs(0).path(), files_.Path("link"));
  EXPECT_EQ(spec->inputs(1).path(), files_.Path("b"));
  EXPECT_EQ(spec->output_dir(), files_.Path("some/../out"));
}

TEST_F(JobSpecTest, ASideFileThatIsGoneByThenIsNamed) {
  JobRequest request = files_.Request("wordcount", "out");
  request.side_files = {{"stop", files_.Path("stop")}};
  const PreparedJob job = Prepare(request);
  boost::filesystem::remove(files_.Path("stop"));
  const auto spec = MakeJobSpec(job, {}, {.key = "k"});
  EXPECT_EQ(spec.status().code(), Code::kNotFound);
  EXPECT_THAT(spec.status().message(), HasSubstr(files_.Path("stop")));
}

}  // namespace
}  // namespace spillway
