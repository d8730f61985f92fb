#include "runtime/worker/worker_link.h"

#include <gtest/gtest.h>

#include "runtime/protocol/frame.h"

namespace spillway {
namespace {

wire::Register Sent(WorkerLink& link, TimeMs now) {
  const auto frame = link.NextFrame(now);
  return ParseMessage(ParseFrame(*frame)->messages(0))->register_();
}

std::string Answer(std::uint64_t session, std::uint64_t registration) {
  wire::Message message;
  message.mutable_registered()->set_version(kProtocolVersion);
  message.mutable_registered()->set_worker(1);
  message.mutable_registered()->set_epoch(1);
  message.mutable_registered()->set_session(session);
  message.mutable_registered()->set_registration(registration);
  return LoneFrame(message, kProtocolVersion);
}

std::string Again(std::uint64_t session) {
  wire::Message message;
  message.mutable_register_again()->set_session(session);
  return LoneFrame(message, kProtocolVersion);
}

WorkerLink MakeLink() {
  WorkerLinkOptions options;
  options.register_retry_ms = 100;
  return WorkerLink(
      wire::Register(), [] { return std::vector<AttemptId>(); }, options);
}

// Under the first answer it could be given attempts that the second Register does not name.
TEST(WorkerLink, TakesTheAnswerToItsNewestRegisterOnly) {
  WorkerLink link = MakeLink();
  EXPECT_EQ(Sent(link, 0).registration(), 1u);
  EXPECT_EQ(Sent(link, 100).registration(), 2u);
  EXPECT_FALSE(link.OnFrame(Answer(7, 1), 110).registered.has_value());
  EXPECT_FALSE(link.registered());
  EXPECT_TRUE(link.OnFrame(Answer(8, 2), 120).registered.has_value());
  EXPECT_FALSE(link.OnFrame(Answer(7, 1), 130).registered.has_value());
  EXPECT_FALSE(link.OnFrame(Answer(8, 2), 130).registered.has_value());
  link.Post(wire::Message());
  EXPECT_EQ(ParseFrame(*link.NextFrame(140))->session(), 8u);
}

// Found by a fuzzer: all that it said then were frames that nobody takes.
TEST(WorkerLink, AnAnswerInAVersionThatItDoesNotSpeakBeginsNoSession) {
  for (const std::uint32_t version : {0u, kProtocolVersion + 1}) {
    WorkerLink link = MakeLink();
    (void)Sent(link, 0);
    wire::Message message = *ParseMessage(ParseFrame(Answer(7, 1))->messages(0));
    message.mutable_registered()->set_version(version);
    EXPECT_FALSE(link.OnFrame(LoneFrame(message), 10).registered.has_value()) << version;
    EXPECT_FALSE(link.registered());
  }
}

TEST(WorkerLink, AnAnswerOfASessionThatEndedBeginsNone) {
  WorkerLink link = MakeLink();
  (void)Sent(link, 0);
  (void)link.OnFrame(Answer(7, 1), 10);
  (void)link.OnFrame(Again(7), 20);
  EXPECT_FALSE(link.OnFrame(Answer(7, 1), 30).registered.has_value());
  EXPECT_FALSE(link.registered());
}

// An answer that always takes longer than the wait would always be too old.
TEST(WorkerLink, WaitsLongerForAnAnswerThatDoesNotCome) {
  WorkerLink link = MakeLink();
  (void)Sent(link, 0);
  (void)Sent(link, 100);
  EXPECT_FALSE(link.NextFrame(299).has_value());
  EXPECT_EQ(Sent(link, 300).registration(), 3u);
  EXPECT_FALSE(link.NextFrame(699).has_value());
  EXPECT_EQ(Sent(link, 700).registration(), 4u);
  EXPECT_FALSE(link.NextFrame(1099).has_value());
  EXPECT_TRUE(link.OnFrame(Answer(7, 4), 1099).registered.has_value());
  link.RegisterAgain();
  (void)Sent(link, 2000);
  EXPECT_EQ(Sent(link, 2100).registration(), 6u);
}

TEST(WorkerLink, WhatIsSaidOfAnOldSessionDoesNotEndTheNewOne) {
  WorkerLink link = MakeLink();
  (void)Sent(link, 0);
  (void)link.OnFrame(Answer(7, 1), 10);
  (void)link.OnFrame(Again(5), 20);
  EXPECT_TRUE(link.registered());
  (void)link.OnFrame(Again(7), 30);
  EXPECT_FALSE(link.registered());
}

TEST(WorkerLink, EndsSurviveTheirSession) {
  WorkerLink link = MakeLink();
  (void)Sent(link, 0);
  (void)link.OnFrame(Answer(7, 1), 110);
  wire::Message done;
  done.mutable_map_done()->mutable_attempt()->set_task(3);
  link.Post(done);
  (void)link.NextFrame(120);
  (void)link.OnFrame(Again(7), 125);
  EXPECT_EQ(Sent(link, 130).attempts(0).task(), 3u);
  (void)link.OnFrame(Answer(8, 2), 130);
  const auto frame = ParseFrame(*link.NextFrame(140));
  EXPECT_EQ(frame->session(), 8u);
  EXPECT_EQ(ParseMessage(frame->messages(0))->map_done().attempt().task(), 3u);
}

// Found by the simulation: a coordinator that had lost with the power that it stopped the attempt
// granted it, and its part was gone.
TEST(WorkerLink, WhoHasStoppedDoesNotAskForAGrantAgain) {
  WorkerLink link = MakeLink();
  (void)Sent(link, 0);
  (void)link.OnFrame(Answer(7, 1), 110);
  wire::Message request, stopped;
  request.mutable_commit_request()->mutable_attempt()->set_task(3);
  stopped.mutable_attempt_stopped()->mutable_attempt()->set_task(3);
  link.Post(request);
  link.Post(stopped);
  (void)link.NextFrame(120);
  (void)link.OnFrame(Again(7), 125);
  (void)Sent(link, 130);
  (void)link.OnFrame(Answer(8, 2), 130);
  const auto frame = ParseFrame(*link.NextFrame(140));
  ASSERT_EQ(frame->messages_size(), 1);
  EXPECT_TRUE(ParseMessage(frame->messages(0))->has_attempt_stopped());
}

}  // namespace
}  // namespace spillway
