// CURVE keys as text: 32 bytes in 40 characters of Z85 (rfc.zeromq.org/spec/32). Pure.
#pragma once

#include <string>
#include <string_view>

namespace spillway {

/// Whether `text` is a key in Z85.
bool IsCurveKey(std::string_view text);

/// The public key that belongs to a secret key. `secret_key` must be one.
std::string PublicKeyOf(const std::string& secret_key);

}  // namespace spillway
