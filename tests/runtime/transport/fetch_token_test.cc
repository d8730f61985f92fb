#include "runtime/transport/fetch_token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spillway {
namespace {

using testing::HasSubstr;

constexpr FetchGrant kGrant{.job = 7, .expires_unix_ms = 1'000'000};

TEST(FetchToken, OpensItsJobUntilItExpires) {
  const std::string key = NewFetchKey();
  const std::string token = MintFetchToken(key, kGrant);
  ASSERT_EQ(token.size(), kFetchTokenBytes);
  EXPECT_TRUE(CheckFetchToken(key, kGrant, token, 0).ok());
  EXPECT_TRUE(CheckFetchToken(key, kGrant, token, 999'999).ok());
  const Status late = CheckFetchToken(key, kGrant, token, 1'000'000);
  EXPECT_EQ(late.code(), Code::kPermissionDenied);
  EXPECT_THAT(late.message(), HasSubstr("expired"));
}

TEST(FetchToken, OpensNothingElse) {
  const std::string key = NewFetchKey();
  const std::string token = MintFetchToken(key, kGrant);
  const FetchGrant others[] = {
      {8, 1'000'000}, {7, 1'000'001}, {7, UINT64_MAX}, {1'000'000, 7}, {0, 0}};
  for (const FetchGrant& other : others) {
    EXPECT_EQ(CheckFetchToken(key, other, token, 0).code(), Code::kPermissionDenied);
  }
  EXPECT_EQ(CheckFetchToken(NewFetchKey(), kGrant, token, 0).code(), Code::kPermissionDenied);
}

TEST(FetchToken, EveryBitCounts) {
  const std::string key = NewFetchKey();
  const std::string token = MintFetchToken(key, kGrant);
  for (std::size_t bit = 0; bit < token.size() * 8; ++bit) {
    std::string wrong = token;
    wrong[bit / 8] = static_cast<char>(wrong[bit / 8] ^ (1 << bit % 8));
    EXPECT_FALSE(CheckFetchToken(key, kGrant, wrong, 0).ok()) << bit;
  }
  for (const std::string& wrong : {std::string(), token.substr(1), token + "x"}) {
    EXPECT_FALSE(CheckFetchToken(key, kGrant, wrong, 0).ok()) << wrong.size();
  }
}

// HMAC-SHA-512 cut to 32 bytes, computed with Python's hmac and struct over
// b"spillway fetch 1" + struct.pack("<QQ", 7, 1000000), key bytes(range(32)).
TEST(FetchToken, IsWhatThePageSays) {
  std::string key(kFetchKeyBytes, '\0');
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<char>(i);
  std::string hex;
  for (const char c : MintFetchToken(key, kGrant)) {
    constexpr char kDigits[] = "0123456789abcdef";
    hex += kDigits[static_cast<unsigned char>(c) >> 4];
    hex += kDigits[c & 15];
  }
  EXPECT_EQ(hex, "c5cd003fbd48e49845c63a50aaec20ee180e9ced5a99153d9e266cabf049df8a");
}

TEST(FetchToken, KeysAreNotTheSameTwice) { EXPECT_NE(NewFetchKey(), NewFetchKey()); }

}  // namespace
}  // namespace spillway
