#include "runtime/cli/endpoint_text.h"

#include <gmock/gmock.h>

#include "runtime/transport/endpoint.h"

namespace spillway {
namespace {

using testing::HasSubstr;

TEST(EndpointText, AHostAndAPortAreTcp) {
  const std::pair<const char*, const char*> kGood[] = {
      {"head:7077", "tcp://head:7077"},
      {"tcp://head.example:1", "tcp://head.example:1"},
      {"10.0.0.1:65535", "tcp://10.0.0.1:65535"},
      {"[::1]:7077", "tcp://[::1]:7077"},
      {"ipc:///run/spillway/c", "ipc:///run/spillway/c"},
  };
  for (const auto& [text, expected] : kGood) {
    const auto endpoint = ReadEndpoint(text, 1);
    ASSERT_TRUE(endpoint.ok()) << endpoint.status().message();
    EXPECT_EQ(*endpoint, expected);
    EXPECT_TRUE(ParseEndpoint(*endpoint).ok()) << text;
  }
}

TEST(EndpointText, WhatIsWrongIsNamed) {
  const std::pair<std::string, const char*> kBad[] = {
      {"", "has no port"},
      {"head", "has no port. Write HOST:PORT"},
      {"head:", "has no port from 1 to 65535"},
      {"head:0", "has no port from 1"},
      {"head:65536", "has no port from 1"},
      {"head:7077x", "has no port from 1"},
      {"head:-1", "has no port from 1"},
      {":7077", "names no host"},
      {"he ad:7077", "names no host"},
      {"head/x:7077", "names no host"},
      {"*:7077", "names every interface"},
      {"::1", "without brackets: [::1]:7077"},
      {"[::1]", "has no port"},
      {"http://head:7077", "is neither tcp:// nor ipc://"},
      {"inproc://x", "is neither tcp:// nor ipc://"},
      {"ipc://relative", "needs an absolute path"},
      {"ipc:///" + std::string(200, 'x'), "is longer than the 107 bytes"},
  };
  for (const auto& [text, expected] : kBad) {
    const auto endpoint = ReadEndpoint(text, 1);
    ASSERT_FALSE(endpoint.ok()) << text;
    EXPECT_EQ(endpoint.status().code(), Code::kInvalidArgument);
    EXPECT_THAT(endpoint.status().message(), HasSubstr(expected)) << text;
  }
}

TEST(EndpointText, ListeningTakesEveryInterfaceAndAnyPort) {
  EXPECT_EQ(*ReadEndpoint("*:0", 0), "tcp://*:0");
  EXPECT_EQ(*ReadEndpoint("127.0.0.1:0", 0), "tcp://127.0.0.1:0");
}

TEST(EndpointText, LoopbackIsThisHostOnly) {
  for (const char* near :
       {"tcp://127.0.0.1:1", "tcp://127.9.9.9:1", "tcp://localhost:1", "tcp://[::1]:1", "ipc:///x"})
    EXPECT_TRUE(IsLoopbackEndpoint(near)) << near;
  for (const char* far : {"tcp://10.0.0.1:1", "tcp://*:1", "tcp://0.0.0.0:1",
                          "tcp://127.evil.example:1", "tcp://localhost.example:1", "tcp://[::]:1"})
    EXPECT_FALSE(IsLoopbackEndpoint(far)) << far;
}

}  // namespace
}  // namespace spillway
