// FetchToken: what allows a reduce task to fetch map outputs of its job: an HMAC over the job and
// the time of expiry, under a key that the coordinator gives to its workers only. Pure.
//
//   token = HMAC-SHA-512-256(key, "spillway fetch 1" | job, fixed64 | expires_unix_ms, fixed64)
//
// Both numbers are little-endian. It names the job and neither map, partition nor attempt: every
// reduce of a job may read every map's output (docs/decisions/0005-messages-over-zeromq.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "mapreduce/base/status.h"

namespace spillway {

inline constexpr std::size_t kFetchKeyBytes = 32;
inline constexpr std::size_t kFetchTokenBytes = 32;

/// What a token is good for.
struct FetchGrant {
  std::uint64_t job = 0;
  std::uint64_t expires_unix_ms = 0;
};

/// Random, of kFetchKeyBytes.
std::string NewFetchKey();

/// kFetchTokenBytes. `key` has kFetchKeyBytes.
std::string MintFetchToken(std::string_view key, const FetchGrant& grant);

/// PermissionDenied: the token is not of this key and grant, or its time is over, which is told
/// apart. Takes the same time whatever the bytes.
Status CheckFetchToken(std::string_view key, const FetchGrant& grant, std::string_view token,
                       std::uint64_t now_unix_ms);

}  // namespace spillway
