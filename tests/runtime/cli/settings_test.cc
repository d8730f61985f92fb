#include "runtime/cli/settings.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class SettingsTest : public testing::Test {
 protected:
  SettingsTest() {
    char path[] = "/tmp/spillway_settings_XXXXXX";
    directory_ = mkdtemp(path);
  }
  ~SettingsTest() override {
    for (const std::string& file : files_) unlink(file.c_str());
    rmdir(directory_.c_str());
  }

  std::string Write(const std::string& name, const std::string& content) {
    files_.push_back(directory_ + "/" + name);
    std::ofstream(files_.back()) << content;
    return files_.back();
  }

  static CommandLine Line(const std::vector<std::string>& words) {
    auto line = ParseCommandLine(*FindCommand("run"), words);
    EXPECT_TRUE(line.ok()) << line.status().message();
    return *line;
  }

  std::string directory_;
  std::vector<std::string> files_;
};

TEST_F(SettingsTest, TheNearerSourceWins) {
  const std::string here = Write("here.toml", "memory = '1G'\nreducers = 3\nthreads = 3\n");
  const std::string user = Write("user.toml", "memory = '4G'\nthreads = 5\nretries = 7\n");
  const auto settings = ResolveSettings(Line({"--memory", "64M"}),
                                        {{"SPILLWAY_MEMORY", "128M"}, {"SPILLWAY_REDUCERS", "2"}},
                                        {here, user, directory_ + "/missing.toml"});
  ASSERT_TRUE(settings.ok()) << settings.status().message();
  EXPECT_EQ(settings->Number("memory", 0), 64u << 20);
  EXPECT_EQ(settings->Find("memory")->origin, "--memory");
  EXPECT_EQ(settings->Number("reducers", 0), 2u);
  EXPECT_EQ(settings->Find("reducers")->origin, "SPILLWAY_REDUCERS");
  EXPECT_EQ(settings->Number("threads", 0), 3u);
  EXPECT_EQ(settings->Find("threads")->origin, here + ":3");
  EXPECT_EQ(settings->Number("retries", 0), 7u);
  EXPECT_EQ(settings->Find("retries")->origin, user + ":3");
  EXPECT_EQ(settings->Number("skip-bad", 11), 11u);
}

TEST_F(SettingsTest, ListsAndTruthsComeFromEverySource) {
  const std::string file = Write("a.toml", "spill-dir = ['/d1', '/d2']\nin-memory = true\n");
  auto settings = ResolveSettings(Line({}), {}, {file});
  ASSERT_TRUE(settings.ok()) << settings.status().message();
  EXPECT_THAT(settings->List("spill-dir"), ElementsAre("/d1", "/d2"));
  EXPECT_TRUE(settings->Truth("in-memory"));

  settings =
      ResolveSettings(Line({"--in-memory=off"}), {{"SPILLWAY_SPILL_DIR", ":/e1::/e2:"}}, {file});
  ASSERT_TRUE(settings.ok()) << settings.status().message();
  EXPECT_THAT(settings->List("spill-dir"), ElementsAre("/e1", "/e2"));
  EXPECT_FALSE(settings->Truth("in-memory"));
}

TEST_F(SettingsTest, SizesMayBePlainNumbers) {
  const auto parsed = ParseConfigFile("memory = 1073741824", "c.toml");
  ASSERT_TRUE(parsed.ok()) << parsed.status().message();
  EXPECT_THAT(parsed->front().values, ElementsAre("1073741824"));
}

TEST_F(SettingsTest, MistakesInAFileNameFileAndLine) {
  const std::pair<const char*, const char*> kMistakes[] = {
      {"\nmemroy = '1G'", "c.toml:2: unknown key 'memroy'. Did you mean memory?"},
      {"spill_dir = '/x'", "c.toml:1: unknown key 'spill_dir'. Did you mean spill-dir?"},
      {"input = 'a'", "c.toml:1: unknown key 'input'."},
      {"[run]\nmemory = '1G'", "c.toml:1: unknown key 'run'."},
      {"memory = '4GBB'", "c.toml:1: memory: '4GBB' is not a size"},
      {"\n\nthreads = -1", "c.toml:3: threads: '-1' is not a whole number"},
      {"threads = 1.5", "c.toml:1: threads: give text, a whole number, true or false."},
      {"threads = [1]", "c.toml:1: threads: give one value, no list."},
      {"spill-dir = []", "c.toml:1: spill-dir: the list is empty."},
      {"spill-dir = ['/a',\n'']", "c.toml:2: spill-dir: the value is empty."},
      {"in-memory = 'maybe'", "c.toml:1: in-memory: 'maybe' is neither true nor false."},
      {"memory = ", "c.toml:1: this is not valid TOML: "},
      {"a = 1\na = 2", "c.toml:2: this is not valid TOML: "},
      {"\nE\xcd\xb1", "c.toml:2: this is not valid TOML: "},
      {"\n[=2", "c.toml:2: this is not valid TOML: "},
  };
  for (const auto& [content, expected] : kMistakes) {
    const auto parsed = ParseConfigFile(content, "c.toml");
    ASSERT_FALSE(parsed.ok()) << content;
    EXPECT_EQ(parsed.status().code(), Code::kInvalidArgument);
    EXPECT_THAT(parsed.status().message(), HasSubstr(expected));
  }
}

TEST_F(SettingsTest, AHiddenMistakeIsStillAMistake) {
  const std::string file = Write("a.toml", "memory = 'much'\n");
  EXPECT_FALSE(ResolveSettings(Line({"--memory", "1G"}), {}, {file}).ok());
  const auto settings = ResolveSettings(Line({}), {{"SPILLWAY_THREADS", "many"}}, {});
  EXPECT_THAT(settings.status().message(), HasSubstr("SPILLWAY_THREADS: 'many'"));
}

TEST_F(SettingsTest, UnreadableFilesAreMistakesAndEmptyOnesAreNot) {
  EXPECT_EQ(ReadConfigFile(directory_).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(ReadConfigFile(directory_ + "/none").status().code(), Code::kNotFound);
  const auto empty = ReadConfigFile(Write("empty.toml", ""));
  ASSERT_TRUE(empty.ok()) << empty.status().message();
  EXPECT_THAT(*empty, IsEmpty());
}

TEST_F(SettingsTest, OnlyNearMissesInTheEnvironmentAreWarnedOf) {
  EXPECT_THAT(EnvironmentWarnings({{"SPILLWAY_MEMROY", "1G"},
                                   {"SPILLWAY_MEMORY", "1G"},
                                   {"SPILLWAY_BENCH_DATA", "/x"},
                                   {"MEMROY", "1"}}),
              ElementsAre("SPILLWAY_MEMROY is not a setting and has no effect. Did you mean "
                          "SPILLWAY_MEMORY?"));
}

TEST_F(SettingsTest, TheUsersFileIsWhereTheDesktopStandardSays) {
  EXPECT_THAT(ConfigFilePaths({{"HOME", "/h"}}),
              ElementsAre("./spillway.toml", "/h/.config/spillway/config.toml",
                          "/etc/spillway/config.toml"));
  EXPECT_THAT(
      ConfigFilePaths({{"HOME", "/h"}, {"XDG_CONFIG_HOME", "/x"}}),
      ElementsAre("./spillway.toml", "/x/spillway/config.toml", "/etc/spillway/config.toml"));
  EXPECT_THAT(ConfigFilePaths({}), ElementsAre("./spillway.toml", "/etc/spillway/config.toml"));
}

}  // namespace
}  // namespace spillway
