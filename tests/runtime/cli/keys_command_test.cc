#include "runtime/cli/keys_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "runtime/cli/spillway_command.h"
#include "runtime/transport/key_directory.h"
#include "tests/shuffle/store/temporary_directory.h"

namespace spillway {
namespace {

using testing::HasSubstr;
using testing::Not;

class KeysCommandTest : public testing::Test {
 protected:
  int Spillway(const std::vector<std::string>& words) {
    std::ostringstream out, err;
    const Shell shell = {.out = out,
                         .err = err,
                         .columns = [] { return std::size_t{80}; },
                         .environment = {},
                         .config_paths = {},
                         .plugin_dir = {},
                         .prepare = {},
                         .inspect = {}};
    const int exit_code = RunSpillway(words, shell);
    out_ = out.str();
    err_ = err.str();
    return exit_code;
  }

  std::string SecretOf(const std::string& path) {
    std::string secret;
    std::getline(std::ifstream(path), secret);
    EXPECT_EQ(secret.size(), kKeyChars) << path;
    return secret;
  }

  TemporaryDirectory directory_;
  const std::string keys_ = directory_.path() + "/keys";
  std::string out_, err_;
};

TEST_F(KeysCommandTest, TheLifeOfAKey) {
  ASSERT_EQ(Spillway({"keys", "init", keys_}), 0) << err_;
  for (const char* role : {"coordinator", "worker", "submitter", "viewer"}) {
    EXPECT_THAT(out_, HasSubstr(std::string("\n") + role + " "));
    EXPECT_THAT(out_, Not(HasSubstr(SecretOf(keys_ + "/" + role + ".secret"))));
  }

  const std::string there = directory_.path() + "/there";
  ASSERT_EQ(Spillway({"keys", "add", keys_, "host-7", "--role", "worker", "--export", there}), 0)
      << err_;
  EXPECT_THAT(out_, HasSubstr("new key of host-7, worker"));
  EXPECT_THAT(out_, HasSubstr(there));
  EXPECT_THAT(out_, Not(HasSubstr(SecretOf(there + "/host-7.secret"))));

  ASSERT_EQ(Spillway({"keys", "list", keys_, "--json"}), 0) << err_;
  const auto json = nlohmann::json::parse(out_);
  EXPECT_EQ(json["directory"], keys_);
  ASSERT_EQ(json["keys"].size(), 5u);
  EXPECT_EQ(json["keys"][4]["name"], "host-7");
  EXPECT_EQ(json["keys"][4]["role"], "worker");
  EXPECT_EQ(json["keys"][4]["public_key"], KeyDirectory(there).Load("host-7")->public_key);

  ASSERT_EQ(Spillway({"keys", "revoke", keys_, "host-7"}), 0) << err_;
  ASSERT_EQ(Spillway({"keys", "list", keys_}), 0) << err_;
  EXPECT_THAT(out_, Not(HasSubstr("host-7")));
  EXPECT_THAT(out_, HasSubstr("submitter    submitter    "));
}

TEST_F(KeysCommandTest, MistakesHaveTheirExitCodesAndRemedies) {
  EXPECT_EQ(Spillway({"keys"}), 64);
  EXPECT_THAT(err_, HasSubstr("init, add, list, revoke"));
  EXPECT_EQ(Spillway({"keys", "init"}), 64);
  EXPECT_THAT(err_, HasSubstr("spillway keys init DIR"));
  EXPECT_EQ(Spillway({"keys", "list", keys_}), 66);
  ASSERT_EQ(Spillway({"keys", "init", keys_}), 0);
  EXPECT_EQ(Spillway({"keys", "init", keys_}), 73);
  EXPECT_EQ(Spillway({"keys", "add", keys_, "bob"}), 64);
  EXPECT_THAT(err_, HasSubstr("--role"));
  EXPECT_EQ(Spillway({"keys", "add", keys_, "bob", "--role", "coordinator"}), 64);
  EXPECT_EQ(Spillway({"keys", "add", keys_, "../bob", "--role", "viewer"}), 64);
  EXPECT_EQ(Spillway({"keys", "add", keys_, "worker", "--role", "viewer"}), 73);
  EXPECT_EQ(Spillway({"keys", "revoke", keys_, "bob"}), 66);
  ::chmod(keys_.c_str(), 0755);
  EXPECT_EQ(Spillway({"keys", "list", keys_}), 77);
  EXPECT_THAT(err_, HasSubstr("chmod 700 " + keys_));
  EXPECT_EQ(out_, "");
}

}  // namespace
}  // namespace spillway
