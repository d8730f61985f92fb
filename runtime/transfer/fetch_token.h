// Tokens of fetches: an executor shows one with each request, as a sign that a worker of the
// cluster lets it read the segments of one job (docs/formats/fetch.md). Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace spillway {

inline constexpr std::size_t kFetchTokenKeyBytes = 32;
inline constexpr std::size_t kFetchTokenBytes = 32;

/// What a token allows.
struct FetchGrant {
  std::uint64_t job = 0;
  std::uint64_t expires_unix_ms = 0;
};

/// HMAC-SHA-256 under `key` (kFetchTokenKeyBytes, from Registered::token_key).
std::string MakeFetchToken(std::string_view key, const FetchGrant& grant);

/// Whether `token` was made for `grant` with this key. Takes the same time wherever they differ.
/// Whether it has expired is the caller's question.
bool IsFetchToken(std::string_view key, const FetchGrant& grant, std::string_view token);

}  // namespace spillway
