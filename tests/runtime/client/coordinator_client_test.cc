#include "runtime/client/coordinator_client.h"

#include <gmock/gmock.h>

#include <fstream>
#include <set>
#include <sstream>

#include "runtime/protocol/wire_values.h"
#include "tests/places.h"
#include "tests/runtime/client/wire_coordinator.h"

namespace spillway {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr CoordinatorClientTimes kFast = {
    .repeat_ms = 100, .busy_ms = 5, .note_ms = 50, .look_ms = 5};

wire::Request Query(const std::string& job_id) {
  wire::Request request;
  request.mutable_job()->set_job_id(job_id);
  return request;
}

/// Says the job's id back.
wire::Reply Echo(const wire::Request& request) {
  wire::Reply reply;
  reply.mutable_job()->set_job_id(request.job().job_id());
  return reply;
}

std::unique_ptr<CoordinatorClient> Client(const ClientOptions& coordinator, WaitNote note = {},
                                          CoordinatorClientTimes times = kFast) {
  auto client = CoordinatorClient::Connect(coordinator, std::move(note), times);
  EXPECT_TRUE(client.ok()) << client.status().message();
  return std::move(client).value();
}

TEST(CoordinatorClient, EveryQuestionGetsItsAnswer) {
  WireCoordinator coordinator(
      [](const wire::Request& request) { return std::vector{Echo(request)}; });
  const auto client = Client(coordinator.client());
  for (int i = 0; i < 50; ++i) {
    const auto reply = client->Call(Query(std::to_string(i)), {});
    ASSERT_TRUE(reply.ok()) << reply.status().message();
    EXPECT_EQ(reply->job().job_id(), std::to_string(i));
  }
}

TEST(CoordinatorClient, ALostQuestionIsAskedAgainUnderItsId) {
  int heard = 0;
  WireCoordinator coordinator([&heard](const wire::Request& request) {
    return ++heard < 3 ? std::vector<wire::Reply>() : std::vector{Echo(request)};
  });
  const auto client = Client(coordinator.client());
  EXPECT_TRUE(client->Call(Query("a"), {}).ok());
  std::set<std::uint64_t> ids;
  for (const wire::Request& request : coordinator.requests()) ids.insert(request.id());
  EXPECT_THAT(coordinator.requests(), SizeIs(3));
  EXPECT_THAT(ids, SizeIs(1));
}

TEST(CoordinatorClient, AnAnswerThatComesTwiceAnswersNothingElse) {
  WireCoordinator coordinator([](const wire::Request& request) {
    return std::vector{Echo(request), Echo(request), Echo(request)};
  });
  const auto client = Client(coordinator.client());
  for (const char* job : {"a", "b", "c"}) {
    const auto reply = client->Call(Query(job), {});
    ASSERT_TRUE(reply.ok());
    EXPECT_EQ(reply->job().job_id(), job);
  }
}

TEST(CoordinatorClient, AnErrorOfTheAnswerIsTheCalls) {
  WireCoordinator coordinator([](const wire::Request&) {
    wire::Reply reply;
    *reply.mutable_status() = ToWire(NotFound("no job 'x'"));
    return std::vector{reply};
  });
  const auto reply = Client(coordinator.client())->Call(Query("x"), {});
  EXPECT_EQ(reply.status().code(), Code::kNotFound);
  EXPECT_EQ(reply.status().message(), "no job 'x'");
}

TEST(CoordinatorClient, ABusyCoordinatorIsAskedAgain) {
  int heard = 0;
  WireCoordinator coordinator([&heard](const wire::Request& request) {
    wire::Reply reply = Echo(request);
    if (++heard < 3) *reply.mutable_status() = ToWire(Unavailable("reading the journal"));
    return std::vector{reply};
  });
  EXPECT_TRUE(Client(coordinator.client())->Call(Query("x"), {}).ok());
  EXPECT_THAT(coordinator.requests(), SizeIs(3));
}

TEST(CoordinatorClient, GivesUpOnAnAbsentCoordinatorAndSaysSoBefore) {
  std::string endpoint;
  {
    WireCoordinator gone([](const wire::Request&) { return std::vector<wire::Reply>(); });
    endpoint = gone.endpoint();
  }
  std::vector<std::string> notes;
  const auto client =
      Client({.endpoint = endpoint}, [&](const std::string& text) { notes.push_back(text); });
  const auto reply = client->Call(Query("x"), {.give_up_ms = 300});
  EXPECT_EQ(reply.status().code(), Code::kUnavailable);
  EXPECT_THAT(reply.status().message(), HasSubstr(endpoint));
  EXPECT_THAT(reply.status().message(), HasSubstr("--connect-timeout"));
  ASSERT_THAT(notes, SizeIs(1));
  EXPECT_THAT(notes[0], HasSubstr("does not answer"));
}

TEST(CoordinatorClient, AHostThatNobodyKnowsIsNamed) {
  const KeyPair keys = NewKeyPair();
  // By RFC 6761 it never exists.
  const auto client =
      Client({.endpoint = "tcp://head.invalid:7077", .keys = keys, .server_key = keys.public_key});
  const auto reply = client->Call(Query("x"), {.give_up_ms = 100});
  EXPECT_EQ(reply.status().code(), Code::kUnavailable);
  EXPECT_THAT(reply.status().message(), HasSubstr("knows no host 'head.invalid'"));
}

TEST(CoordinatorClient, WaitsForACoordinatorThatComesBack) {
  WireCoordinator coordinator(
      [](const wire::Request& request) { return std::vector{Echo(request)}; });
  coordinator.Stop();
  std::vector<std::string> notes;
  std::thread back;
  // It comes back when the client has said that it waits.
  const auto client = Client(coordinator.client(), [&](const std::string& text) {
    notes.push_back(text);
    if (!text.empty()) back = std::thread([&] { coordinator.Start(); });
  });
  const auto reply = client->Call(Query("x"), {.give_up_ms = 0});
  ASSERT_TRUE(reply.ok()) << reply.status().message();
  back.join();
  EXPECT_THAT(notes, SizeIs(2));
  EXPECT_THAT(notes.back(), IsEmpty());
}

TEST(CoordinatorClient, ACancelledCallEnds) {
  WireCoordinator silent([](const wire::Request&) { return std::vector<wire::Reply>(); });
  std::atomic<bool> cancelled{false};
  const auto client = Client(silent.client(), [&](const std::string&) { cancelled = true; });
  const auto reply = client->Call(Query("x"), {.give_up_ms = 0, .cancelled = &cancelled});
  EXPECT_EQ(reply.status().code(), Code::kCancelled);
}

TEST(CoordinatorClient, AQuestionThatMayTakeLongIsNotRepeatedMeanwhile) {
  std::atomic<int> heard = 0;
  WireCoordinator coordinator([&heard](const wire::Request&) {
    ++heard;
    return std::vector<wire::Reply>();
  });
  // Without the time for the answer, 300 ms would see three questions.
  const auto reply =
      Client(coordinator.client())->Call(Query("x"), {.give_up_ms = 10, .answer_ms = 300});
  EXPECT_EQ(reply.status().code(), Code::kUnavailable);
  EXPECT_EQ(heard, 1);
}

TEST(CoordinatorClient, AKeyThatIsNotKnownIsRefusedLongBeforeTheTimeOut) {
  const KeyPair server = NewKeyPair(), friendly = NewKeyPair(), stranger = NewKeyPair();
  WireCoordinator coordinator(
      [](const wire::Request& request) { return std::vector{Echo(request)}; }, server,
      [&friendly](std::string_view key) {
        return key == friendly.public_key ? Role::kSubmitter : Role::kNone;
      });
  ClientOptions options = coordinator.client();
  options.server_key = server.public_key;
  options.keys = friendly;
  EXPECT_TRUE(Client(options)->Call(Query("x"), {}).ok());
  options.keys = stranger;
  const auto reply = Client(options)->Call(Query("x"), {.give_up_ms = 0});
  EXPECT_EQ(reply.status().code(), Code::kPermissionDenied);
  EXPECT_THAT(reply.status().message(), HasSubstr("does not know this key"));
  // A coordinator that is not the one whose key is known here is not believed.
  options.keys = friendly;
  options.server_key = stranger.public_key;
  const Status other = Client(options)->Call(Query("x"), {.give_up_ms = 300}).status();
  EXPECT_EQ(other.code(), Code::kUnavailable);
  EXPECT_THAT(other.message(), HasSubstr("another one than coordinator.public"));
  // And one that has keys does not hear who has none.
  const Status open = Client(coordinator.client())->Call(Query("x"), {.give_up_ms = 300}).status();
  EXPECT_EQ(open.code(), Code::kUnavailable);
  EXPECT_THAT(open.message(), HasSubstr("give --keys DIR"));
}

/// The bytes of the first block of docs/formats/protocol.md that is a frame; comments stand behind
/// two blanks.
std::string FrameOfThePage() {
  std::ifstream page(SourcePath("docs/formats/protocol.md"));
  std::string bytes, line;
  bool inside = false;
  while (std::getline(page, line)) {
    if (line.starts_with("08 03 ")) inside = true;
    if (!inside) continue;
    if (line == "```") return bytes;
    std::istringstream digits(line.substr(0, line.find("  ")));
    for (int byte = 0; digits >> std::hex >> byte;) bytes += static_cast<char>(byte);
  }
  return "the page has no frame";
}

TEST(CoordinatorClient, TheBytesOfAQuestionAreThoseOfThePage) {
  wire::Message message;
  *message.mutable_request() = Query("j1");
  message.mutable_request()->set_id(7);
  message.mutable_request()->mutable_job()->set_wait_ms(5'000);
  EXPECT_EQ(LoneFrame(message), FrameOfThePage());
}

TEST(CoordinatorClient, AnEndpointThatCannotBeUnderstoodIsRefusedAtOnce) {
  EXPECT_FALSE(CoordinatorClient::Connect({.endpoint = "carrier://pigeon"}, {}).ok());
}

}  // namespace
}  // namespace spillway
