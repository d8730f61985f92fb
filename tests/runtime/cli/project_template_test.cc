#include "runtime/cli/project_template.h"

#include <gtest/gtest.h>

#include <boost/filesystem.hpp>
#include <fstream>
#include <sstream>

namespace spillway {
namespace {

namespace fs = boost::filesystem;

class ProjectTemplateTest : public ::testing::Test {
 protected:
  ProjectTemplateTest() {
    fs::create_directories(root_ / "template/data");
    Write("template/my_job.cc", "my_job my_job_test MY_JOB\n");
    Write("template/data/sample.bin", std::string("\0\xff", 2));
  }
  ~ProjectTemplateTest() override { fs::remove_all(root_); }

  void Write(const std::string& name, const std::string& text) {
    std::ofstream((root_ / name).string(), std::ios::binary) << text;
  }
  std::string Read(const std::string& name) {
    std::ifstream file((root_ / name).string(), std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  std::string Path(const std::string& name) { return (root_ / name).string(); }

  fs::path root_ = fs::temp_directory_path() / fs::unique_path("spillway-template-%%%%%%%%");
};

TEST_F(ProjectTemplateTest, IsCopiedUnderItsNewName) {
  ASSERT_TRUE(WriteProject(Path("template"), {Path("deep/my_job_2"), "my_job_2"}).ok());
  EXPECT_EQ(Read("deep/my_job_2/my_job_2.cc"), "my_job_2 my_job_2_test MY_JOB\n");
  EXPECT_EQ(Read("deep/my_job_2/data/sample.bin"), std::string("\0\xff", 2));
}

TEST_F(ProjectTemplateTest, LeavesADirectoryThatExistsAlone) {
  fs::create_directories(root_ / "taken");
  const Status status = WriteProject(Path("template"), {Path("taken"), "taken"});
  EXPECT_EQ(status.code(), Code::kAlreadyExists);
  EXPECT_TRUE(fs::is_empty(root_ / "taken"));
}

TEST_F(ProjectTemplateTest, LeavesNothingWhenItCannotBeRead) {
  fs::create_symlink("nowhere", root_ / "template/dangling");
  EXPECT_EQ(WriteProject(Path("template"), {Path("new"), "new"}).code(), Code::kNotFound);
  EXPECT_FALSE(fs::exists(root_ / "new"));
  EXPECT_EQ(WriteProject(Path("none"), {Path("new"), "new"}).code(), Code::kNotFound);
  EXPECT_FALSE(fs::exists(root_ / "new"));
}

TEST(ProjectNames, AreTheLastPartOfAPath) {
  const auto names = ProjectNamesOf("jobs/clicks-2//");
  ASSERT_TRUE(names.ok());
  EXPECT_EQ(names->directory, "jobs/clicks-2");
  EXPECT_EQ(names->name, "clicks-2");
}

TEST(ProjectNames, RefuseWhatNoFileOrTargetCouldBe) {
  for (const std::string word :
       {"", "/", ".", "..", "9x", "-x", "_x", "a b", "a.b", "a$", "é", "test", "jobs/install/"})
    EXPECT_EQ(ProjectNamesOf(word).status().code(), Code::kInvalidArgument) << word;
  EXPECT_TRUE(ProjectNamesOf(std::string(64, 'x')).ok());
  EXPECT_FALSE(ProjectNamesOf(std::string(65, 'x')).ok());
}

}  // namespace
}  // namespace spillway
