#include "runtime/transport/key_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <thread>
#include <vector>

#include "runtime/transport/curve_key.h"
#include "runtime/transport/private_file.h"
#include "tests/shuffle/store/temporary_directory.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class KeyDirectoryTest : public testing::Test {
 protected:
  KeyDirectoryTest() : path_(directory_.path() + "/keys"), keys_(path_) {}

  void Init() {
    const Status status = keys_.Init();
    ASSERT_TRUE(status.ok()) << status.message();
  }

  std::vector<std::string> Names() {
    const auto identities = keys_.List();
    EXPECT_TRUE(identities.ok()) << identities.status().message();
    std::vector<std::string> names;
    if (identities.ok()) {
      for (const Identity& identity : *identities) names.push_back(identity.name);
    }
    return names;
  }

  std::set<std::string> Files(const std::string& path) {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
      names.insert(entry.path().filename());
    }
    return names;
  }

  static unsigned Mode(const std::string& path) {
    struct stat info {};
    EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
    return info.st_mode & 07777;
  }

  TemporaryDirectory directory_;
  const std::string path_;
  const KeyDirectory keys_;
};

TEST_F(KeyDirectoryTest, InitMakesAKeyPerRoleThatNobodyElseCanRead) {
  Init();
  EXPECT_EQ(Mode(path_), 0700u);
  EXPECT_EQ(Files(path_),
            (std::set<std::string>{"authorized", "coordinator.public", "coordinator.secret",
                                   "submitter.secret", "viewer.secret", "worker.secret"}));
  for (const std::string& name : Files(path_)) EXPECT_EQ(Mode(path_ + "/" + name), 0600u) << name;

  const auto identities = keys_.List();
  ASSERT_TRUE(identities.ok()) << identities.status().message();
  ASSERT_EQ(identities->size(), 4u);
  std::set<std::string> distinct;
  for (const Identity& identity : *identities) {
    EXPECT_EQ(identity.name, RoleName(identity.role));
    const auto pair = keys_.Load(identity.name);
    ASSERT_TRUE(pair.ok()) << pair.status().message();
    EXPECT_EQ(pair->public_key, identity.public_key);
    distinct.insert(pair->secret_key);
  }
  EXPECT_EQ(distinct.size(), 4u);
  EXPECT_EQ(*keys_.CoordinatorKey(), keys_.Load("coordinator")->public_key);
}

TEST_F(KeyDirectoryTest, InitReplacesNoKeys) {
  Init();
  const std::string before = *keys_.CoordinatorKey();
  EXPECT_EQ(keys_.Init().code(), Code::kAlreadyExists);
  EXPECT_EQ(*keys_.CoordinatorKey(), before);
  // Nor those of a worker's machine, which has no 'authorized'.
  std::filesystem::remove(keys_.authorized_path());
  EXPECT_EQ(keys_.Init().code(), Code::kAlreadyExists);
}

TEST_F(KeyDirectoryTest, WhatOthersCanReadIsRefusedWithTheRemedy) {
  Init();
  const std::string secret = path_ + "/worker.secret";
  ::chmod(secret.c_str(), 0640);
  const Status readable = keys_.Load("worker").status();
  EXPECT_EQ(readable.code(), Code::kPermissionDenied);
  EXPECT_THAT(readable.message(), HasSubstr("chmod 600 " + secret));
  ::chmod(secret.c_str(), 0600);
  EXPECT_TRUE(keys_.Load("worker").ok());

  ::chmod(keys_.authorized_path().c_str(), 0664);
  EXPECT_THAT(keys_.List().status().message(), HasSubstr("chmod go-w"));
  ::chmod(keys_.authorized_path().c_str(), 0644);
  EXPECT_TRUE(keys_.List().ok());

  ::chmod(path_.c_str(), 0750);
  for (const Status& status : {keys_.Load("worker").status(), keys_.List().status(),
                               keys_.Revoke("worker"), KeyDirectory(path_).Init()}) {
    EXPECT_EQ(status.code(), Code::kPermissionDenied);
    EXPECT_THAT(status.message(), HasSubstr("chmod 700 " + path_));
  }
}

TEST_F(KeyDirectoryTest, LinksAndOddFilesAreNoKeys) {
  Init();
  const std::string secret = path_ + "/worker.secret";
  std::filesystem::rename(secret, path_ + "/elsewhere");
  std::filesystem::create_symlink(path_ + "/elsewhere", secret);
  EXPECT_EQ(keys_.Load("worker").status().code(), Code::kBadData);
  std::filesystem::remove(secret);
  ASSERT_EQ(::mkfifo(secret.c_str(), 0600), 0);
  EXPECT_EQ(keys_.Load("worker").status().code(), Code::kBadData);
  std::filesystem::remove(secret);
  for (const std::string& content : {std::string(), std::string(39, 'a'), std::string(40, '"'),
                                     std::string(40, '\x80'), std::string(2 << 20, 'a')}) {
    ASSERT_TRUE(WritePrivateFile(secret, content).ok());
    EXPECT_EQ(keys_.Load("worker").status().code(), Code::kBadData) << content.size();
  }
}

TEST_F(KeyDirectoryTest, AnAddedKeyStaysHereOrGoesToTheOtherMachine) {
  Init();
  const auto alice = keys_.Add({.name = "alice", .role = Role::kSubmitter});
  ASSERT_TRUE(alice.ok()) << alice.status().message();
  EXPECT_EQ(keys_.Load("alice")->public_key, alice->public_key);

  const std::string other_path = directory_.path() + "/for-host-7";
  const auto host = keys_.Add({.name = "host-7", .role = Role::kWorker, .export_dir = other_path});
  ASSERT_TRUE(host.ok()) << host.status().message();
  EXPECT_EQ(Mode(other_path), 0700u);
  EXPECT_EQ(Files(other_path), (std::set<std::string>{"coordinator.public", "host-7.secret"}));
  EXPECT_FALSE(Files(path_).contains("host-7.secret"));
  const KeyDirectory other(other_path);
  EXPECT_EQ(other.Load("host-7")->public_key, host->public_key);
  EXPECT_EQ(*other.CoordinatorKey(), *keys_.CoordinatorKey());
  EXPECT_EQ(other.List().status().code(), Code::kNotFound);

  EXPECT_THAT(Names(),
              ElementsAre("coordinator", "worker", "submitter", "viewer", "alice", "host-7"));
}

TEST_F(KeyDirectoryTest, BadNamesAndRolesAndTakenOnesAreRefused) {
  Init();
  for (const char* name : {"", "a b", "../x", "a/b", "a.b", "\xc3\xa4", "a\n"}) {
    EXPECT_EQ(keys_.Add({.name = name, .role = Role::kWorker}).status().code(),
              Code::kInvalidArgument)
        << name;
    EXPECT_EQ(keys_.Load(name).status().code(), Code::kInvalidArgument) << name;
    EXPECT_EQ(keys_.Revoke(name).code(), Code::kInvalidArgument) << name;
  }
  EXPECT_EQ(keys_.Add({.name = std::string(65, 'a'), .role = Role::kWorker}).status().code(),
            Code::kInvalidArgument);
  EXPECT_EQ(keys_.Add({.name = "second", .role = Role::kCoordinator}).status().code(),
            Code::kInvalidArgument);
  EXPECT_EQ(keys_.Add({.name = "worker", .role = Role::kViewer}).status().code(),
            Code::kAlreadyExists);
  EXPECT_EQ(Names().size(), 4u);
}

TEST_F(KeyDirectoryTest, AnExportMixesNoClusters) {
  Init();
  const KeyDirectory foreign(directory_.path() + "/foreign");
  ASSERT_TRUE(foreign.Init().ok());
  const std::string there = directory_.path() + "/there";
  ASSERT_TRUE(foreign.Add({.name = "a", .role = Role::kWorker, .export_dir = there}).ok());
  for (const char* name : {"a", "b"}) {
    EXPECT_EQ(keys_.Add({.name = name, .role = Role::kWorker, .export_dir = there}).status().code(),
              Code::kAlreadyExists);
  }
  EXPECT_EQ(Names().size(), 4u);
}

TEST_F(KeyDirectoryTest, ARevokedKeyIsGone) {
  Init();
  ASSERT_TRUE(keys_.Revoke("viewer").ok());
  EXPECT_THAT(Names(), ElementsAre("coordinator", "worker", "submitter"));
  EXPECT_FALSE(Files(path_).contains("viewer.secret"));
  const Status again = keys_.Revoke("viewer");
  EXPECT_EQ(again.code(), Code::kNotFound);
  EXPECT_THAT(again.message(), HasSubstr("coordinator, worker, submitter"));
  EXPECT_EQ(keys_.Revoke("coordinator").code(), Code::kInvalidArgument);
  EXPECT_TRUE(keys_.Add({.name = "viewer", .role = Role::kViewer}).ok());
}

TEST_F(KeyDirectoryTest, TheIdentityOfAProcessIsThePreferredOneOrTheOnlyOne) {
  Init();
  EXPECT_EQ(*keys_.ChooseIdentity("worker"), "worker");
  const auto several = keys_.ChooseIdentity("bob");
  EXPECT_EQ(several.status().code(), Code::kInvalidArgument);
  EXPECT_THAT(several.status().message(), HasSubstr("coordinator, submitter, viewer, worker"));
  const std::string there = directory_.path() + "/there";
  ASSERT_TRUE(keys_.Add({.name = "host", .role = Role::kWorker, .export_dir = there}).ok());
  EXPECT_EQ(*KeyDirectory(there).ChooseIdentity("worker"), "host");
  std::filesystem::remove(there + "/host.secret");
  EXPECT_EQ(KeyDirectory(there).ChooseIdentity("worker").status().code(), Code::kNotFound);
}

TEST_F(KeyDirectoryTest, ChangesAtOnceAreAllKept) {
  Init();
  constexpr int kThreads = 4;
  constexpr int kNames = 10;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kNames; ++i) {
        const std::string name = "k" + std::to_string(t) + "-" + std::to_string(i);
        EXPECT_TRUE(KeyDirectory(path_).Add({.name = name, .role = Role::kViewer}).ok());
        if (i % 2 == 0) {
          EXPECT_TRUE(KeyDirectory(path_).Revoke(name).ok());
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Names().size(), 4u + kThreads * kNames / 2);
}

TEST_F(KeyDirectoryTest, AuthorizedKeysFollowTheFile) {
  Init();
  AuthorizedKeys authorized(keys_.authorized_path());
  const std::string worker = keys_.Load("worker")->public_key;
  EXPECT_EQ(authorized.Find(worker), Role::kWorker);
  EXPECT_EQ(authorized.Find(keys_.Load("viewer")->public_key), Role::kViewer);
  EXPECT_EQ(authorized.Find(NewKeyPair().public_key), Role::kNone);

  ASSERT_TRUE(keys_.Revoke("worker").ok());
  EXPECT_EQ(authorized.Find(worker), Role::kNone);
  const auto added = keys_.Add({.name = "new", .role = Role::kSubmitter});
  EXPECT_EQ(authorized.Find(added->public_key), Role::kSubmitter);
  EXPECT_TRUE(authorized.status().ok());

  EXPECT_TRUE(authorized.Withdrawn(worker, Role::kWorker));
  EXPECT_FALSE(authorized.Withdrawn(added->public_key, Role::kSubmitter));
  EXPECT_TRUE(authorized.Withdrawn(added->public_key, Role::kWorker)) << "it has another role now";
}

TEST_F(KeyDirectoryTest, NobodyEntersByAFileThatIsWrongMissingOrOthersToChange) {
  Init();
  AuthorizedKeys authorized(keys_.authorized_path());
  const std::string worker = keys_.Load("worker")->public_key;
  ASSERT_EQ(authorized.Find(worker), Role::kWorker);

  std::ofstream(keys_.authorized_path(), std::ios::app) << "half a\n";
  EXPECT_EQ(authorized.Find(worker), Role::kNone);
  EXPECT_EQ(authorized.status().code(), Code::kBadData);
  EXPECT_FALSE(authorized.Withdrawn(worker, Role::kWorker)) << "a slip of the pen ends no session";
  EXPECT_THAT(authorized.status().message(), HasSubstr("authorized:6: expected NAME ROLE"));

  ASSERT_TRUE(WritePrivateFile(keys_.authorized_path(), "w worker " + worker + "\n").ok());
  EXPECT_EQ(authorized.Find(worker), Role::kWorker);
  ::chmod(keys_.authorized_path().c_str(), 0666);
  EXPECT_EQ(authorized.Find(worker), Role::kNone);
  ::chmod(keys_.authorized_path().c_str(), 0600);
  EXPECT_EQ(authorized.Find(worker), Role::kWorker);
  std::filesystem::remove(keys_.authorized_path());
  EXPECT_EQ(authorized.Find(worker), Role::kNone);
  EXPECT_FALSE(authorized.Withdrawn(worker, Role::kWorker));
  EXPECT_EQ(authorized.status().code(), Code::kNotFound);
}

TEST(Authorized, TextIsReadAsItIsWrittenAndMistakesAreNamed) {
  const std::vector<Identity> identities = {{"a", Role::kWorker, NewKeyPair().public_key},
                                            {"b-2_C", Role::kViewer, NewKeyPair().public_key}};
  const std::string text = AuthorizedText(identities);
  const auto read = ParseAuthorized("\n# note\n" + text, "F");
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_EQ(AuthorizedText(*read), text);

  const std::string key = identities[0].public_key;
  const std::pair<std::string, const char*> mistakes[] = {
      {"a worker", "F:1: expected"},
      {"a worker " + key + " more", "F:1: expected"},
      {"\na/b worker " + key, "F:2: 'a/b' is no name"},
      {"a king " + key, "F:1: 'king' is no role"},
      {"a none " + key, "F:1: 'none' is no role"},
      {"a worker " + key.substr(1), "F:1: the public key"},
      {"a worker " + key + "\nb viewer " + key, "F:2: its name or key"},
      {text + "a viewer " + NewKeyPair().public_key, "F:4: its name or key"},
  };
  for (const auto& [line, message] : mistakes) {
    const auto wrong = ParseAuthorized(line, "F");
    EXPECT_EQ(wrong.status().code(), Code::kBadData) << line;
    EXPECT_THAT(wrong.status().message(), HasSubstr(message)) << line;
  }
}

TEST(CurveKey, ThePublicKeyFollowsFromTheSecret) {
  for (int i = 0; i < 20; ++i) {
    const KeyPair keys = NewKeyPair();
    EXPECT_TRUE(IsCurveKey(keys.public_key) && IsCurveKey(keys.secret_key));
    EXPECT_EQ(PublicKeyOf(keys.secret_key), keys.public_key);
  }
  EXPECT_FALSE(IsCurveKey(""));
  EXPECT_FALSE(IsCurveKey(std::string(40, '#')));  // More than 32 bits in five characters.
  EXPECT_FALSE(IsCurveKey(std::string(40, ' ')));
}

TEST(Role, NamesAreReadBack) {
  for (const Role role : {Role::kCoordinator, Role::kWorker, Role::kSubmitter, Role::kViewer}) {
    EXPECT_EQ(ParseRole(RoleName(role)), role);
  }
  EXPECT_EQ(ParseRole(RoleName(Role::kNone)), Role::kNone);
  EXPECT_EQ(ParseRole("Worker"), Role::kNone);
}

}  // namespace
}  // namespace spillway
