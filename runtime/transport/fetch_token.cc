#include "runtime/transport/fetch_token.h"

#include <sodium.h>

#include "mapreduce/base/check.h"
#include "mapreduce/base/coding.h"

namespace spillway {
namespace {

static_assert(kFetchKeyBytes == crypto_auth_KEYBYTES);
static_assert(kFetchTokenBytes == crypto_auth_BYTES);

// Keeps these HMACs apart from whatever else the key may sign one day.
constexpr std::string_view kPurpose = "spillway fetch 1";

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string SignedText(const FetchGrant& grant) {
  char numbers[2 * sizeof(std::uint64_t)];
  StoreLittle(StoreLittle(numbers, grant.job), grant.expires_unix_ms);
  return std::string(kPurpose) + std::string(numbers, sizeof numbers);
}

}  // namespace

std::string NewFetchKey() {
  SPILLWAY_CHECK_GE(sodium_init(), 0);  // May be called again and by any thread.
  std::string key(kFetchKeyBytes, '\0');
  randombytes_buf(key.data(), key.size());
  return key;
}

std::string MintFetchToken(std::string_view key, const FetchGrant& grant) {
  SPILLWAY_CHECK_EQ(key.size(), kFetchKeyBytes);
  const std::string text = SignedText(grant);
  std::string token(kFetchTokenBytes, '\0');
  crypto_auth(reinterpret_cast<unsigned char*>(token.data()), Bytes(text), text.size(), Bytes(key));
  return token;
}

Status CheckFetchToken(std::string_view key, const FetchGrant& grant, std::string_view token,
                       std::uint64_t now_unix_ms) {
  SPILLWAY_CHECK_EQ(key.size(), kFetchKeyBytes);
  const std::string text = SignedText(grant);
  const bool genuine = token.size() == kFetchTokenBytes &&
                       crypto_auth_verify(Bytes(token), Bytes(text), text.size(), Bytes(key)) == 0;
  if (!genuine) {
    return PermissionDenied("the token does not allow to fetch map outputs of job " +
                            std::to_string(grant.job));
  }
  if (now_unix_ms < grant.expires_unix_ms) return OkStatus();
  return PermissionDenied("the token for map outputs of job " + std::to_string(grant.job) +
                          " expired " + std::to_string(now_unix_ms - grant.expires_unix_ms) +
                          " ms ago; compare the clocks of the hosts");
}

}  // namespace spillway
