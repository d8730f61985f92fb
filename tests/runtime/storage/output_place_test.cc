#include "runtime/storage/output_place.h"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "runtime/storage/owner_marker.h"
#include "runtime/storage/posix_file_system.h"

namespace spillway {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class OutputPlaceTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "place-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    dir_ = name;
    out_ = dir_ + "/out";
  }
  void TearDown() override { fs::remove_all(dir_); }

  Status Check(Overwrite overwrite) { return CheckOutputPlace(files_, out_ + "/", overwrite); }
  void Put(const std::string& name) { std::ofstream(out_ + "/" + name) << "x"; }

  PosixFileSystem files_;
  std::string dir_, out_;
};

TEST_F(OutputPlaceTest, NothingIsInNobodysWay) {
  for (const Overwrite overwrite :
       {Overwrite::kNothing, Overwrite::kWhole, Overwrite::kDirectories})
    EXPECT_TRUE(Check(overwrite).ok());
}

TEST_F(OutputPlaceTest, WithoutOverwriteWhateverIsThereIsInTheWay) {
  fs::create_directory(out_);
  const Status status = Check(Overwrite::kNothing);
  EXPECT_EQ(status.code(), Code::kAlreadyExists);
  EXPECT_THAT(status.message(), HasSubstr("pass --overwrite"));
}

TEST_F(OutputPlaceTest, OverwriteIsAdvisedOnlyWhereItReplaces) {
  std::ofstream(out_) << "x";
  EXPECT_THAT(CheckOutputPlace(files_, out_, Overwrite::kNothing).message(),
              Not(HasSubstr("pass --overwrite")));
  fs::remove(out_);
  fs::create_directory(out_);
  Put("thesis.txt");
  const Status status = Check(Overwrite::kNothing);
  EXPECT_EQ(status.code(), Code::kAlreadyExists);
  EXPECT_THAT(status.message(), AllOf(HasSubstr("exists already"), HasSubstr("choose another"),
                                      Not(HasSubstr("pass --overwrite"))));
  Put(kManifestName);
  EXPECT_THAT(Check(Overwrite::kNothing).message(), HasSubstr("pass --overwrite"));
}

TEST_F(OutputPlaceTest, AnOutputOfOursDoesNotVouchForDirectoriesWithoutAMarker) {
  for (const char* directory : {"/d=1", "/d=2/h=1", "/d=3/h=1"})
    fs::create_directories(out_ + directory);
  Put(kSuccessName);
  Put(std::string("d=2/h=1/") + kManifestName);
  Put("d=2/h=1/part-00000");
  fs::create_directory_symlink("..", out_ + "/up");
  Put(kManifestName);
  EXPECT_TRUE(Check(Overwrite::kWhole).ok()) << "the others are empty";
  Put("d=3/h=1/mine");
  const Status status = Check(Overwrite::kWhole);
  EXPECT_EQ(status.code(), Code::kAlreadyExists);
  EXPECT_THAT(status.message(), AllOf(HasSubstr("/out/d=3/h=1' there is neither"),
                                      HasSubstr("remove the directory yourself")));
  EXPECT_THAT(Check(Overwrite::kNothing).message(), Not(HasSubstr("pass --overwrite")));
  EXPECT_TRUE(Check(Overwrite::kDirectories).ok());
  fs::remove(out_ + "/" + kManifestName);
  EXPECT_TRUE(Check(Overwrite::kWhole).ok()) << "Spark marks a table as a whole";
}

TEST_F(OutputPlaceTest, OnlyOutputsOfJobsAreReplacedAsAWhole) {
  fs::create_directory(out_);
  EXPECT_TRUE(Check(Overwrite::kWhole).ok()) << "nothing is lost with an empty directory";
  Put("thesis.txt");
  const Status status = Check(Overwrite::kWhole);
  EXPECT_EQ(status.code(), Code::kAlreadyExists);
  EXPECT_THAT(status.message(), HasSubstr("no job's output"));
  EXPECT_TRUE(Check(Overwrite::kDirectories).ok()) << "the file would stay";
  for (const char* name : {kManifestName, kSuccessName}) {
    Put(name);
    EXPECT_TRUE(Check(Overwrite::kWhole).ok()) << name;
    fs::remove(out_ + "/" + name);
  }
}

TEST_F(OutputPlaceTest, LeftoversOfDeadJobsAreNobodysFiles) {
  const std::string staging = out_ + "/.part.spillway-job";
  fs::create_directories(staging);
  EXPECT_TRUE(Check(Overwrite::kWhole).ok()) << "its process died before it had marked it";
  std::ofstream(staging + "/part-00000") << "x";
  EXPECT_FALSE(Check(Overwrite::kWhole).ok()) << "anybody's";
  ASSERT_TRUE(WriteOwnerMarker(files_, staging).ok());
  EXPECT_FALSE(Check(Overwrite::kWhole).ok()) << "this process is alive";
  fs::remove(staging + "/" + kOwnerMarkerName);
  const pid_t child = ::fork();
  if (child == 0) ::_exit(WriteOwnerMarker(files_, staging).ok() ? 0 : 1);
  int state = 1;
  ASSERT_EQ(::waitpid(child, &state, 0), child);
  ASSERT_EQ(state, 0);
  EXPECT_TRUE(Check(Overwrite::kWhole).ok());
  fs::rename(staging, out_ + "/part.spillway-job");
  EXPECT_FALSE(Check(Overwrite::kWhole).ok()) << "not hidden, so not ours";
}

TEST_F(OutputPlaceTest, FilesAndLinksAreNeverReplaced) {
  std::ofstream(out_) << "x";
  EXPECT_THAT(CheckOutputPlace(files_, out_, Overwrite::kWhole).message(),
              HasSubstr("not a directory"));
  fs::remove(out_);
  fs::create_directory(dir_ + "/real");
  fs::create_directory_symlink("real", out_);
  EXPECT_THAT(Check(Overwrite::kWhole).message(), HasSubstr("symbolic link"));
  fs::remove(dir_ + "/real");
  EXPECT_THAT(Check(Overwrite::kNothing).message(), HasSubstr("symbolic link"));
}

}  // namespace
}  // namespace spillway
