#include "runtime/transport/transport_options.h"

#include <array>
#include <utility>
#include <zmq.hpp>

#include "mapreduce/base/check.h"

namespace spillway {
namespace {

constexpr std::array<std::pair<Role, std::string_view>, 4> kRoleNames{{
    {Role::kCoordinator, "coordinator"},
    {Role::kWorker, "worker"},
    {Role::kSubmitter, "submitter"},
    {Role::kViewer, "viewer"},
}};

}  // namespace

Role ParseRole(std::string_view name) {
  for (const auto& [role, text] : kRoleNames) {
    if (text == name) return role;
  }
  return Role::kNone;
}

std::string_view RoleName(Role role) {
  for (const auto& [known, text] : kRoleNames) {
    if (known == role) return text;
  }
  return "none";
}

KeyPair NewKeyPair() {
  std::array<char, 41> public_key{};
  std::array<char, 41> secret_key{};
  // Fails only where libzmq was built without CURVE, which Debian's is not.
  SPILLWAY_CHECK_EQ(zmq_curve_keypair(public_key.data(), secret_key.data()), 0);
  return {public_key.data(), secret_key.data()};
}

}  // namespace spillway
