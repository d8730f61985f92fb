#include "runtime/storage/input_files.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "runtime/storage/posix_file_system.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// Remembers what was listed.
class WatchedFileSystem final : public FileSystem {
 public:
  std::set<std::string> listed;

  Result<std::vector<std::string>> List(const std::string& directory) override {
    listed.insert(directory);
    return files_.List(directory);
  }
  Result<std::unique_ptr<ReadableFile>> Open(const std::string& path) override {
    return files_.Open(path);
  }
  Result<FileInfo> Stat(const std::string& path) override { return files_.Stat(path); }
  Result<std::uint64_t> FreeBytes(const std::string& path) override {
    return files_.FreeBytes(path);
  }
  Result<std::unique_ptr<WritableFile>> Create(const std::string&) override { return Changed(); }
  Result<std::unique_ptr<WritableFile>> Reopen(const std::string&) override { return Changed(); }
  Status MakeDirectory(const std::string&, int) override { return Changed(); }
  Status Remove(const std::string&) override { return Changed(); }
  Status RemoveTree(const std::string&) override { return Changed(); }
  Status RenameNoReplace(const std::string&, const std::string&) override { return Changed(); }
  Status Exchange(const std::string&, const std::string&) override { return Changed(); }
  Status SyncDirectory(const std::string&) override { return Changed(); }

 private:
  static Status Changed() { return InternalError("listing changes nothing"); }
  PosixFileSystem files_;
};

/// A table by date and country, in a directory of its own.
class PartitionedInputTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "inputs-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    dir_ = name;
    for (const char* date : {"date=2024-01-01", "date=2024-01-02", "date=2024-01-03"})
      for (const char* country : {"country=at", "country=de"}) {
        const std::string leaf = dir_ + "/t/" + date + "/" + country;
        std::filesystem::create_directories(leaf);
        std::ofstream(leaf + "/part-00000") << "x\n";
      }
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  Result<InputListing> List(const std::vector<std::string>& inputs,
                            const std::vector<std::string>& where) {
    std::vector<std::string> paths;
    for (const std::string& input : inputs) paths.push_back(dir_ + "/" + input);
    auto filter = PartitionFilter::Parse(where);
    EXPECT_TRUE(filter.ok());
    return ListInputFiles(files_, paths, *filter);
  }

  std::vector<std::string> Names(const Result<InputListing>& listing) {
    EXPECT_TRUE(listing.ok()) << listing.status().message();
    std::vector<std::string> names;
    if (listing.ok())
      for (const FoundFile& file : listing->files)
        names.push_back(file.path.substr(dir_.size() + 3));
    return names;
  }

  WatchedFileSystem files_;
  std::string dir_;
};

TEST(IsHiddenMatch, IsWhatAPatternFindsThatDirectoriesPassOver) {
  EXPECT_TRUE(IsHiddenMatch("out/_SUCCESS", "out/*"));
  EXPECT_TRUE(IsHiddenMatch("_manifest.json", "*.json"));
  EXPECT_TRUE(IsHiddenMatch("out/.x", "out/[.a]x"));
  EXPECT_FALSE(IsHiddenMatch("out/_SUCCESS", "out/_S*"));
  EXPECT_FALSE(IsHiddenMatch("_out/part-00000", "*/*"));
  EXPECT_FALSE(IsHiddenMatch("out/", "*/"));
}

TEST_F(PartitionedInputTest, PatternsPassOverWhatJobsLeaveBesideTheirParts) {
  std::ofstream(dir_ + "/t/date=2024-01-01/country=at/_SUCCESS") << "x\n";
  EXPECT_THAT(Names(List({"t/*1/*at/*"}, {})),
              ElementsAre("date=2024-01-01/country=at/part-00000"));
  EXPECT_THAT(List({"t/*1/*at/[_]*"}, {}).status().message(), HasSubstr("only files whose names"));
}

TEST_F(PartitionedInputTest, DirectoriesThatDoNotFitAreNotListed) {
  const auto listing = List({"t"}, {"date>=2024-01-02", "country=de"});
  EXPECT_THAT(Names(listing), ElementsAre("date=2024-01-02/country=de/part-00000",
                                          "date=2024-01-03/country=de/part-00000"));
  EXPECT_EQ(listing->partitions_passed_over, 3u);  // One date, and a country in each of the others.
  EXPECT_EQ(listing->partitions_read, 4u);
  EXPECT_FALSE(files_.listed.contains(dir_ + "/t/date=2024-01-01"));
  EXPECT_FALSE(files_.listed.contains(dir_ + "/t/date=2024-01-02/country=at"));
  EXPECT_TRUE(files_.listed.contains(dir_ + "/t/date=2024-01-02/country=de"));
}

TEST_F(PartitionedInputTest, ConditionsHoldForWhatIsNamedToo) {
  EXPECT_THAT(Names(List({"t/date=*"}, {"date=2024-01-02", "country=at"})),
              ElementsAre("date=2024-01-02/country=at/part-00000"));
  EXPECT_THAT(Names(List({"t/date=2024-01-01/country=de/part-00000", "t/date=2024-01-02"},
                         {"date!=2024-01-02"})),
              ElementsAre("date=2024-01-01/country=de/part-00000"));
  EXPECT_THAT(Names(List({"t/date=2024-01-03/"}, {"country=at"})),
              ElementsAre("date=2024-01-03/country=at/part-00000"));
}

TEST_F(PartitionedInputTest, WithoutConditionsAllIsRead) {
  const auto listing = List({"t"}, {});
  EXPECT_EQ(Names(listing).size(), 6u);
  EXPECT_EQ(listing->partitions_passed_over + listing->partitions_read, 0u);
}

TEST_F(PartitionedInputTest, AKeyThatNoDirectoryHasIsAnErrorThatNamesTheNearOne) {
  const auto slip = List({"t"}, {"dat=2024-01-02"});
  ASSERT_FALSE(slip.ok());
  EXPECT_EQ(slip.status().code(), Code::kInvalidArgument);
  EXPECT_THAT(slip.status().message(), HasSubstr("named dat=VALUE. Did you mean date?"));
  const auto other = List({"t"}, {"hour=1"});
  EXPECT_THAT(other.status().message(), HasSubstr("The keys there: country, date."));
  std::ofstream(dir_ + "/t/stray") << "x";
  const auto stray = List({"t"}, {"date=2024-01-01"});
  EXPECT_EQ(stray.status().code(), Code::kInvalidArgument);
  EXPECT_THAT(stray.status().message(),
              HasSubstr("t/stray' lies in no directory named date=VALUE. Others do"));
}

TEST_F(PartitionedInputTest, ThatNothingFitsIsAnError) {
  const auto none = List({"t"}, {"date=2023-01-01"});
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.status().code(), Code::kNotFound);
  EXPECT_THAT(none.status().message(), HasSubstr("3 were passed over, such as '"));
  EXPECT_THAT(none.status().message(), Not(HasSubstr("holds no files")));
}

TEST_F(PartitionedInputTest, AFileNamedLikeADirectoryIsAFile) {
  std::ofstream(dir_ + "/t/date=2024-01-01/country=de/date=x") << "x";
  EXPECT_EQ(Names(List({"t"}, {"date=2024-01-01", "country=de"})).size(), 2u);
}

}  // namespace
}  // namespace spillway
