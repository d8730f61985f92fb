#include "runtime/storage/attempt_output.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "runtime/storage/posix_file_system.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class AttemptOutputTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "attempt-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    dir_ = name;
    ASSERT_TRUE(files_.MakeDirectory(dir_ + "/attempts", 0755).ok());
  }
  void TearDown() override { EXPECT_TRUE(files_.RemoveTree(dir_).ok()); }

  std::unique_ptr<AttemptOutput> Create(AttemptOutputOptions options = {}) {
    options.staging_dir = dir_;
    options.file.part = 3;
    options.file.attempt = 1;
    auto output = AttemptOutput::Create(files_, budget_, options);
    EXPECT_TRUE(output.ok()) << output.status().message();
    return output.ok() ? std::move(output).value() : nullptr;
  }

  std::vector<std::string> Names() { return files_.List(dir_ + "/attempts").value(); }
  std::string Read(const std::string& name) {
    std::ifstream file(dir_ + "/attempts/" + name);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }

  PosixFileSystem files_;
  MemoryBudget budget_{1 << 20};
  std::string dir_;
};

TEST_F(AttemptOutputTest, HasAFileForThePartAndForEachDirectory) {
  auto output = Create();
  ASSERT_TRUE(output->AppendTo("errors", "e1\n", 1).ok());
  ASSERT_TRUE(output->Append("p\n").ok());
  ASSERT_TRUE(output->AppendTo("date=1/hour=2", "d\n", 1).ok());
  ASSERT_TRUE(output->AppendTo("errors", "e2\n", 1).ok());
  ASSERT_TRUE(output->Finish().ok());
  const PartInfo info = output->info();
  output.reset();
  EXPECT_THAT(Names(), ElementsAre("part-00003.1", "part-00003.1.0", "part-00003.1.1"));
  EXPECT_EQ(Read("part-00003.1.0"), "e1\ne2\n");
  EXPECT_EQ(Read("part-00003.1.1"), "d\n");
  ASSERT_EQ(info.directories.size(), 2u);
  EXPECT_EQ(info.directories[0].directory, "errors");
  EXPECT_EQ(info.directories[0].records, 2u);
  EXPECT_EQ(info.directories[0].xxh3, XXH3_64bits("e1\ne2\n", 6));
  EXPECT_EQ(info.directories[1].directory, "date=1/hour=2");
  EXPECT_EQ(info.bytes, 2u);
  EXPECT_EQ(info.total_bytes(), 10u);
  EXPECT_EQ(budget_.used_bytes(), 0u);
}

/// Directories in turn, with few files open and with or without room for their buffers.
TEST_F(AttemptOutputTest, AnyNumberOfDirectoriesTakesFewOpenFilesAndLittleMemory) {
  for (const std::uint64_t room : {std::uint64_t{0}, AttemptOutput::kBufferBytes * 2}) {
    SCOPED_TRACE(room);
    MemoryBudget budget(room);
    AttemptOutputOptions options;
    options.staging_dir = dir_;
    options.open_directories_max = 3;
    options.file.durable = false;
    auto output = AttemptOutput::Create(files_, budget, options);
    ASSERT_TRUE(output.ok());
    std::map<std::string, std::string> expected;
    for (int i = 0; i < 2000; ++i) {
      const std::string name = "d=" + std::to_string(i * 7 % 40);
      const std::string text = std::string(static_cast<std::size_t>(i % 90), 'x') + "\n";
      ASSERT_TRUE((*output)->AppendTo(name, text, 1).ok());
      expected[name] += text;
      ASSERT_LE(budget.used_bytes(), room + 40 * 1'400);
    }
    const std::string large(200'000, 'y');  // More than a buffer.
    ASSERT_TRUE((*output)->AppendTo("d=1", large, 1).ok());
    expected["d=1"] += large;
    ASSERT_TRUE((*output)->Finish().ok());
    const auto directories = (*output)->info().directories;
    ASSERT_EQ(directories.size(), 40u);
    for (std::size_t i = 0; i < directories.size(); ++i) {
      const std::string& text = expected[directories[i].directory];
      EXPECT_EQ(Read("part-00000.0." + std::to_string(i)), text);
      EXPECT_EQ(directories[i].bytes, text.size());
      EXPECT_EQ(directories[i].xxh3, XXH3_64bits(text.data(), text.size()));
    }
  }
}

TEST_F(AttemptOutputTest, WhatIsNotFinishedGoesAndWhatIsStays) {
  auto output = Create();
  ASSERT_TRUE(output->AppendTo("errors", "x", 1).ok());
  output.reset();
  EXPECT_THAT(Names(), IsEmpty());
  output = Create();
  ASSERT_TRUE(output->AppendTo("errors", "x", 1).ok());
  ASSERT_TRUE(output->Finish().ok());
  output->Remove();
  output.reset();
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_F(AttemptOutputTest, FilesOfTheSameAttemptBeforeAreReplaced) {
  {
    auto before = Create();
    ASSERT_TRUE(before->AppendTo("errors", "old", 1).ok());
    ASSERT_TRUE(before->Append("old").ok());
    ASSERT_TRUE(before->Finish().ok());
  }
  auto output = Create();
  ASSERT_TRUE(output->AppendTo("large", "new", 1).ok());
  ASSERT_TRUE(output->Finish().ok());
  EXPECT_EQ(Read("part-00003.1"), "");
  EXPECT_EQ(Read("part-00003.1.0"), "new");
}

TEST_F(AttemptOutputTest, NamesAreCheckedAndTheirNumberIsBounded) {
  AttemptOutputOptions options;
  options.directories_max = 2;
  options.has_part = false;
  options.file.of_map = true;
  auto output = Create(options);
  for (const char* name :
       {"", "..", "a/../b", "/a", "a/", ".x", "_x", "part-1", "map-1", "attempts"})
    EXPECT_EQ(output->AppendTo(name, "x", 1).code(), Code::kUserCode) << name;
  EXPECT_THAT(Names(), IsEmpty());
  EXPECT_TRUE(output->AppendTo("a", "x", 1).ok());
  EXPECT_TRUE(output->AppendTo("b", "x", 1).ok());
  const Status third = output->AppendTo("c", "x", 1);
  EXPECT_EQ(third.code(), Code::kUserCode);
  EXPECT_THAT(third.message(), HasSubstr("more than 2 directories"));
  EXPECT_EQ(output->Append("x").code(), Code::kInternal);
  ASSERT_TRUE(output->Finish().ok());
  EXPECT_THAT(Names(), ElementsAre("map-00003.1.0", "map-00003.1.1"));
}

}  // namespace
}  // namespace spillway
