#include "runtime/storage/content_hash.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "tests/shuffle/store/temporary_directory.h"

namespace spillway {
namespace {

std::string Hex(const std::string& bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    hex += kDigits[static_cast<unsigned char>(c) >> 4];
    hex += kDigits[c & 15];
  }
  return hex;
}

std::string HashOf(const std::string& content) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/file";
  std::ofstream(path, std::ios::binary) << content;
  const auto hash = FileSha256(path);
  EXPECT_TRUE(hash.ok()) << hash.status().message();
  return hash.ok() ? Hex(*hash) : "";
}

// The examples of FIPS 180-2, the last one longer than what is read at once.
TEST(ContentHash, IsSha256) {
  EXPECT_EQ(HashOf(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(HashOf("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(HashOf(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(ContentHash, WhatCannotBeReadIsNamed) {
  const TemporaryDirectory directory;
  const auto missing = FileSha256(directory.path() + "/missing");
  EXPECT_EQ(missing.status().code(), Code::kNotFound);
  EXPECT_NE(missing.status().message().find("/missing"), std::string::npos);
  EXPECT_FALSE(FileSha256(directory.path()).ok());
}

}  // namespace
}  // namespace spillway
