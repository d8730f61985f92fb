#include "runtime/transport/endpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/transport/transport_options.h"

namespace spillway {
namespace {

using testing::HasSubstr;

TEST(Endpoint, IsTakenApartAndPutTogether) {
  const auto tcp = ParseEndpoint("tcp://node-7.example_x.org:65535");
  ASSERT_TRUE(tcp.ok());
  EXPECT_EQ(tcp->host, "node-7.example_x.org");
  EXPECT_EQ(tcp->port, 65535);
  EXPECT_FALSE(tcp->ipv6());
  const auto ipv6 = ParseEndpoint("tcp://[::1]:80");
  ASSERT_TRUE(ipv6.ok());
  EXPECT_EQ(ipv6->host, "::1");
  EXPECT_TRUE(ipv6->ipv6());
  for (const char* text : {"tcp://node:1", "tcp://[fe80::1]:0", "tcp://*:0", "tcp://127.0.0.1:9",
                           "ipc:///tmp/x/socket", "inproc://x"}) {
    const auto endpoint = ParseEndpoint(text);
    ASSERT_TRUE(endpoint.ok()) << endpoint.status().message();
    EXPECT_EQ(EndpointText(*endpoint), text);
  }
}

TEST(Endpoint, WhatIsNoneIsNamed) {
  const std::string long_path = "ipc:///" + std::string(107, 'x');
  for (const std::string& text :
       {std::string(""), std::string("node:1"), std::string("udp://x:1"), std::string("tcp://"),
        std::string("tcp://:1"), std::string("tcp://node"), std::string("tcp://node:"),
        std::string("tcp://node:65536"), std::string("tcp://node:-1"), std::string("tcp://node:1x"),
        std::string("tcp://::1:1"), std::string("tcp://[node]:1"), std::string("tcp://a b:1"),
        std::string("tcp://eth0;x:1"), std::string("ipc://x"), std::string("ipc://@abstract"),
        std::string("ipc://*"), long_path, std::string("inproc://")}) {
    const auto endpoint = ParseEndpoint(text);
    ASSERT_FALSE(endpoint.ok()) << text;
    EXPECT_EQ(endpoint.status().code(), Code::kInvalidArgument) << text;
    EXPECT_THAT(endpoint.status().message(), HasSubstr("'" + text + "'"));
  }
}

TEST(Endpoint, LoopbackIsWhatOnlyThisHostReaches) {
  for (const char* text : {"tcp://127.0.0.1:1", "tcp://127.255.255.254:1", "tcp://localhost:1",
                           "tcp://[::1]:1", "ipc:///x", "inproc://x"}) {
    EXPECT_TRUE(IsLoopback(*ParseEndpoint(text))) << text;
  }
  for (const char* text : {"tcp://*:1", "tcp://0.0.0.0:1", "tcp://[::]:1", "tcp://126.0.0.1:1",
                           "tcp://128.0.0.1:1", "tcp://127.1:1", "tcp://localhost.org:1",
                           "tcp://LOCALHOST:1", "tcp://[::2]:1", "tcp://[::ffff:127.0.0.1]:1"}) {
    EXPECT_FALSE(IsLoopback(*ParseEndpoint(text))) << text;
  }
}

TEST(Endpoint, AHostNameIsBoundByItsAddress) {
  EXPECT_EQ(EndpointText(ForBind(*ParseEndpoint("tcp://localhost:1"))), "tcp://127.0.0.1:1");
  for (const char* text : {"tcp://*:1", "tcp://[::1]:1", "tcp://192.0.2.1:1", "ipc:///x"}) {
    EXPECT_EQ(EndpointText(ForBind(*ParseEndpoint(text))), text);
  }
}

}  // namespace
}  // namespace spillway
