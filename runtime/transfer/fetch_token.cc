#include "runtime/transfer/fetch_token.h"

#include <sodium.h>

#include <array>

#include "mapreduce/base/check.h"
#include "mapreduce/base/coding.h"

namespace spillway {
namespace {

static_assert(kFetchTokenKeyBytes == crypto_auth_hmacsha256_KEYBYTES);
static_assert(kFetchTokenBytes == crypto_auth_hmacsha256_BYTES);

// The name keeps the key's other uses apart.
constexpr std::string_view kPurpose = "spillway fetch 1";

using SignedBytes = std::array<char, kPurpose.size() + 16>;

SignedBytes Signed(const FetchGrant& grant) {
  SignedBytes bytes;
  std::memcpy(bytes.data(), kPurpose.data(), kPurpose.size());
  char* const end = StoreLittle(bytes.data() + kPurpose.size(), grant.job);
  StoreLittle(end, grant.expires_unix_ms);
  return bytes;
}

const unsigned char* Unsigned(const char* bytes) {
  return reinterpret_cast<const unsigned char*>(bytes);
}

}  // namespace

std::string MakeFetchToken(std::string_view key, const FetchGrant& grant) {
  SPILLWAY_CHECK_EQ(key.size(), kFetchTokenKeyBytes);
  const SignedBytes bytes = Signed(grant);
  std::string token(kFetchTokenBytes, '\0');
  crypto_auth_hmacsha256(reinterpret_cast<unsigned char*>(token.data()), Unsigned(bytes.data()),
                         bytes.size(), Unsigned(key.data()));
  return token;
}

bool IsFetchToken(std::string_view key, const FetchGrant& grant, std::string_view token) {
  SPILLWAY_CHECK_EQ(key.size(), kFetchTokenKeyBytes);
  if (token.size() != kFetchTokenBytes) return false;
  const SignedBytes bytes = Signed(grant);
  return crypto_auth_hmacsha256_verify(Unsigned(token.data()), Unsigned(bytes.data()), bytes.size(),
                                       Unsigned(key.data())) == 0;
}

}  // namespace spillway
