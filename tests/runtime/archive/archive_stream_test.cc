#include "runtime/archive/archive_stream.h"

#include <gmock/gmock.h>

#include <random>
#include <string>
#include <vector>

#include "tests/runtime/archive/packed_text.h"
#include "tests/runtime/task/string_file.h"

namespace spillway {
namespace {

using ::testing::HasSubstr;

std::string RandomText(unsigned seed, std::size_t bytes) {
  std::mt19937 random(seed);
  std::string text(bytes, '\0');
  for (char& c : text) c = static_cast<char>(random() % 4 == 0 ? '\n' : 'a' + random() % 20);
  return text;
}

struct Reading {
  std::uint64_t read_bytes = 1 << 16;
  std::uint64_t buffer_bytes = 1 << 12;
  std::uint64_t budget_bytes = 16 << 20;
};

/// All of an archive's text, read in pieces of up to `read_bytes`.
Result<std::string> Unpack(ArchiveKind kind, const std::string& packed, const Reading& how = {}) {
  const StringFile file(packed);
  MemoryBudget budget(how.budget_bytes);
  std::string text;
  {
    ArchiveStream stream(file, {kind, "in.x", packed.size()}, budget, how.buffer_bytes);
    std::string piece(how.read_bytes, '\0');
    while (true) {
      SPILLWAY_ASSIGN_OR_RETURN(const std::uint64_t got, stream.Read(piece.size(), piece.data()));
      text.append(piece, 0, got);
      if (got < piece.size()) break;
    }
    EXPECT_EQ(stream.file_position(), packed.size());
    EXPECT_LE(budget.peak_bytes(), how.budget_bytes);
  }
  EXPECT_EQ(budget.used_bytes(), 0u);
  return text;
}

TEST(ArchiveStream, GivesTheTextOfAllMembersWhateverTheSizesOfReads) {
  for (const ArchiveKind kind : kArchiveKinds)
    for (unsigned seed = 0; seed < 40; ++seed) {
      SCOPED_TRACE(std::string(ArchiveKindName(kind)) + ", seed " + std::to_string(seed));
      std::mt19937 random(seed);
      std::string text, packed;
      for (unsigned members = 1 + random() % 4; members > 0; --members) {
        const std::string member = RandomText(random(), random() % 3 * (random() % 60'000));
        text += member;
        packed += Packed(kind, member);
      }
      const Reading how{.read_bytes = 1 + random() % 20'000, .buffer_bytes = random() % 3'000};
      const auto unpacked = Unpack(kind, packed, how);
      ASSERT_TRUE(unpacked.ok()) << unpacked.status().message();
      EXPECT_EQ(*unpacked, text);
    }
}

TEST(ArchiveStream, AnArchiveThatBreaksOffIsBadDataWhereverItDoes) {
  const std::string text = RandomText(1, 3'000);
  for (const ArchiveKind kind : kArchiveKinds) {
    SCOPED_TRACE(ArchiveKindName(kind));
    const std::string first = Packed(kind, text), both = first + Packed(kind, text);
    for (std::size_t bytes = 0; bytes < both.size(); ++bytes) {
      const auto unpacked = Unpack(kind, both.substr(0, bytes));
      ASSERT_EQ(unpacked.ok(), bytes == first.size()) << bytes;
      if (!unpacked.ok()) {
        ASSERT_EQ(unpacked.status().code(), Code::kBadData) << bytes;
      }
    }
    EXPECT_THAT(Unpack(kind, both.substr(0, both.size() - 1)).status().message(),
                HasSubstr("ends too early"));
  }
}

TEST(ArchiveStream, AFlippedBitIsFoundOrChangesNothing) {
  const std::string text = RandomText(2, 2'000);
  for (const ArchiveKind kind : kArchiveKinds) {
    SCOPED_TRACE(ArchiveKindName(kind));
    const std::string packed = Packed(kind, text);
    std::size_t found = 0;
    for (std::size_t at = 0; at < packed.size(); ++at) {
      std::string damaged = packed;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << at % 8));
      const auto unpacked = Unpack(kind, damaged);
      if (unpacked.ok()) {
        ASSERT_EQ(*unpacked, text) << at;
      } else {
        ASSERT_EQ(unpacked.status().code(), Code::kBadData) << at;
        ++found;
      }
    }
    EXPECT_GT(found, packed.size() * 9 / 10);
  }
}

TEST(ArchiveStream, RubbishBehindAnArchiveIsNamedWithItsPlace) {
  for (const ArchiveKind kind : kArchiveKinds) {
    SCOPED_TRACE(ArchiveKindName(kind));
    const std::string packed = Packed(kind, "some text\n");
    const Status status = Unpack(kind, packed + "rubbish").status();
    EXPECT_EQ(status.code(), Code::kBadData);
    EXPECT_THAT(status.message(),
                HasSubstr("in.x: byte " + std::to_string(packed.size()) +
                          " of the compressed file, behind 10 bytes of text: behind the end of "
                          "the archive there is something else: 'rubbish'"));
  }
}

TEST(ArchiveStream, ZerosBehindAGzipArchiveAreOfATape) {
  const std::string packed = Packed(ArchiveKind::kGzip, "text\n");
  const std::string zeros(10'000, '\0');
  EXPECT_EQ(*Unpack(ArchiveKind::kGzip, packed + zeros), "text\n");
  EXPECT_EQ(*Unpack(ArchiveKind::kGzip, packed + zeros + packed), "text\ntext\n");
  EXPECT_FALSE(Unpack(ArchiveKind::kGzip, packed + zeros + "x").ok());
  EXPECT_FALSE(Unpack(ArchiveKind::kZstd, Packed(ArchiveKind::kZstd, "text\n") + zeros).ok());
}

TEST(ArchiveStream, AContentThatIsNotWhatTheNameSaysIsNamed) {
  for (const ArchiveKind kind : kArchiveKinds)
    for (const ArchiveKind other : kArchiveKinds) {
      if (other == kind) continue;
      const Status status = Unpack(kind, Packed(other, "some text\n")).status();
      EXPECT_EQ(status.code(), Code::kBadData);
      EXPECT_THAT(status.message(),
                  HasSubstr(std::string("no archive of ") + ArchiveKindName(kind)));
      EXPECT_THAT(status.message(), HasSubstr(std::string("one of ") + ArchiveKindName(other)));
    }
  EXPECT_THAT(Unpack(ArchiveKind::kGzip, "plain\n").status().message(),
              HasSubstr("begins with 'plain\\x0a'"));
  EXPECT_THAT(Unpack(ArchiveKind::kGzip, "").status().message(), HasSubstr("the file is empty"));
}

TEST(ArchiveStream, MemoryIsBoundedHoweverFarTheTextExpands) {
  const std::string text(32 << 20, '\0');
  for (const ArchiveKind kind : kArchiveKinds) {
    SCOPED_TRACE(ArchiveKindName(kind));
    const auto unpacked = Unpack(kind, Packed(kind, text), {.budget_bytes = 12 << 20});
    ASSERT_TRUE(unpacked.ok()) << unpacked.status().message();
    EXPECT_EQ(unpacked->size(), text.size());
  }
}

TEST(ArchiveStream, AMemberThatTakesMoreMemoryThanThereIsIsRefusedBeforeItTakesIt) {
  const std::string text = RandomText(3, 100'000);
  for (const ArchiveKind kind : {ArchiveKind::kBzip2, ArchiveKind::kZstd}) {
    SCOPED_TRACE(ArchiveKindName(kind));
    const Status status =
        Unpack(kind, Packed(kind, text), {.read_bytes = 100, .budget_bytes = 64 << 10}).status();
    EXPECT_EQ(status.code(), Code::kBadData);
    EXPECT_THAT(status.message(), HasSubstr("--memory"));
  }
  // The window of a frame is whatever its header says: here, of 2 TiB.
  std::string frame("\x28\xb5\x2f\xfd\x00\xf8\x01\x00\x00", 9);
  EXPECT_THAT(Unpack(ArchiveKind::kZstd, frame).status().message(), HasSubstr("it takes 2 TiB"));
}

TEST(ArchiveStream, FramesWithoutContentArePassedOver) {
  const std::string skipped("\x5a\x2a\x4d\x18\x03\x00\x00\x00xyz", 11);
  for (const ArchiveKind kind : {ArchiveKind::kZstd, ArchiveKind::kLz4}) {
    SCOPED_TRACE(ArchiveKindName(kind));
    EXPECT_EQ(*Unpack(kind, skipped + Packed(kind, "a") + skipped + Packed(kind, "b")), "ab");
    EXPECT_EQ(*Unpack(kind, skipped), "");
  }
}

}  // namespace
}  // namespace spillway
