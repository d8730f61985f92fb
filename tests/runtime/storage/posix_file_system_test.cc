#include "runtime/storage/posix_file_system.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "runtime/storage/posix_error.h"
#include "tests/shuffle/store/temporary_directory.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class PosixFileSystemTest : public testing::Test {
 protected:
  std::string Path(const std::string& name) { return directory_.path() + "/" + name; }

  void Write(const std::string& path, const std::string& content) {
    auto file = files_.Create(path);
    ASSERT_TRUE(file.ok()) << file.status().message();
    ASSERT_TRUE((*file)->Append(content).ok());
    ASSERT_TRUE((*file)->Sync().ok());
    ASSERT_TRUE((*file)->Close().ok());
  }

  std::string Read(const std::string& path) {
    auto file = files_.Open(path);
    if (!file.ok()) return file.status().message();
    std::string content(*(*file)->Size(), '\0');
    EXPECT_EQ(*(*file)->ReadAt(0, content.size(), content.data()), content.size());
    return content;
  }

  TemporaryDirectory directory_;
  PosixFileSystem files_;
};

TEST_F(PosixFileSystemTest, ReadsWhatWasAppended) {
  Write(Path("a"), "hello world");
  auto file = files_.Open(Path("a"));
  ASSERT_TRUE(file.ok());
  char scratch[32];
  EXPECT_EQ(*(*file)->ReadAt(6, 3, scratch), 3u);
  EXPECT_EQ(std::string(scratch, 3), "wor");
  EXPECT_EQ(*(*file)->ReadAt(6, 30, scratch), 5u) << "fewer only at the end";
  EXPECT_EQ(*(*file)->ReadAt(100, 3, scratch), 0u);
}

TEST_F(PosixFileSystemTest, CreateNeverTakesAPathThatExistsOrALink) {
  Write(Path("a"), "old");
  EXPECT_EQ(files_.Create(Path("a")).status().code(), Code::kAlreadyExists);
  std::filesystem::create_symlink(Path("elsewhere"), Path("link"));
  EXPECT_FALSE(files_.Create(Path("link")).ok());
  EXPECT_FALSE(std::filesystem::exists(Path("elsewhere")));
  const auto missing = files_.Create(Path("no/such/a"));
  EXPECT_EQ(missing.status().code(), Code::kNotFound);
  EXPECT_THAT(missing.status().message(), HasSubstr(Path("no/such/a")));
}

TEST_F(PosixFileSystemTest, FilesDoNotLeakIntoChildren) {
  Write(Path("a"), "x");
  const auto file = files_.Open(Path("a"));
  ASSERT_TRUE(file.ok());
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code error;
    if (std::filesystem::read_symlink(entry.path(), error) != Path("a")) continue;
    const int fd = std::stoi(entry.path().filename());
    EXPECT_NE(::fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
  }
}

TEST_F(PosixFileSystemTest, StatTellsKindSizeAndIdentity) {
  Write(Path("a"), "12345");
  ASSERT_EQ(::mkfifo(Path("fifo").c_str(), 0600), 0);
  const auto a = files_.Stat(Path("a"));
  ASSERT_TRUE(a.ok());
  EXPECT_EQ(a->kind, FileKind::kRegular);
  EXPECT_EQ(a->bytes, 5u);
  EXPECT_GT(a->mtime_ns, 0);
  EXPECT_EQ(files_.Stat(directory_.path())->kind, FileKind::kDirectory);
  EXPECT_EQ(files_.Stat(Path("fifo"))->kind, FileKind::kOther);
  EXPECT_EQ(files_.Stat(Path("none")).status().code(), Code::kNotFound);
  ASSERT_TRUE(files_.RenameNoReplace(Path("a"), Path("b")).ok());
  EXPECT_EQ(files_.Stat(Path("b"))->inode, a->inode);
}

TEST_F(PosixFileSystemTest, OpeningAFifoDoesNotHang) {
  ASSERT_EQ(::mkfifo(Path("fifo").c_str(), 0600), 0);
  const auto file = files_.Open(Path("fifo"));
  ASSERT_TRUE(file.ok());
  char scratch[4];
  EXPECT_FALSE((*file)->ReadAt(0, 4, scratch).ok());
}

TEST_F(PosixFileSystemTest, ListsNamesSorted) {
  for (const char* name : {"b", "a", ".hidden"}) Write(Path(name), "");
  EXPECT_THAT(*files_.List(directory_.path()), ElementsAre(".hidden", "a", "b"));
  EXPECT_EQ(files_.List(Path("none")).status().code(), Code::kNotFound);
  EXPECT_FALSE(files_.List(Path("a")).ok());
}

TEST_F(PosixFileSystemTest, RenameNeverReplacesNotEvenAnEmptyDirectory) {
  Write(Path("a"), "a");
  Write(Path("b"), "b");
  ASSERT_TRUE(files_.MakeDirectory(Path("d"), 0700).ok());
  ASSERT_TRUE(files_.MakeDirectory(Path("e"), 0700).ok());
  EXPECT_EQ(files_.RenameNoReplace(Path("a"), Path("b")).code(), Code::kAlreadyExists);
  EXPECT_EQ(files_.RenameNoReplace(Path("d"), Path("e")).code(), Code::kAlreadyExists);
  EXPECT_EQ(files_.RenameNoReplace(Path("none"), Path("f")).code(), Code::kNotFound);
  EXPECT_EQ(Read(Path("b")), "b");
  EXPECT_TRUE(files_.RenameNoReplace(Path("a"), Path("c")).ok());
  EXPECT_EQ(Read(Path("c")), "a");
}

TEST_F(PosixFileSystemTest, ExchangesInOneStep) {
  ASSERT_TRUE(files_.MakeDirectory(Path("d"), 0700).ok());
  Write(Path("d/x"), "in d");
  Write(Path("f"), "file");
  ASSERT_TRUE(files_.Exchange(Path("d"), Path("f")).ok());
  EXPECT_EQ(Read(Path("f/x")), "in d");
  EXPECT_EQ(Read(Path("d")), "file");
  EXPECT_EQ(files_.Exchange(Path("d"), Path("none")).code(), Code::kNotFound);
}

TEST_F(PosixFileSystemTest, RemoveTreeRemovesLinksNotWhatTheyPointTo) {
  ASSERT_TRUE(files_.MakeDirectory(Path("kept"), 0700).ok());
  Write(Path("kept/file"), "precious");
  ASSERT_TRUE(files_.MakeDirectory(Path("tree"), 0700).ok());
  ASSERT_TRUE(files_.MakeDirectory(Path("tree/below"), 0700).ok());
  Write(Path("tree/below/file"), "");
  std::filesystem::create_directory_symlink(Path("kept"), Path("tree/below/link"));
  std::filesystem::create_directory_symlink(Path("kept"), Path("link"));
  EXPECT_TRUE(files_.RemoveTree(Path("tree")).ok());
  EXPECT_TRUE(files_.RemoveTree(Path("link")).ok());
  EXPECT_THAT(*files_.List(directory_.path()), ElementsAre("kept"));
  EXPECT_EQ(Read(Path("kept/file")), "precious");
  EXPECT_EQ(files_.RemoveTree(Path("tree")).code(), Code::kNotFound);
}

TEST_F(PosixFileSystemTest, RemoveTreeRefusesADepthThatCouldExhaustIt) {
  std::string path = Path("tree");
  ASSERT_TRUE(files_.MakeDirectory(path, 0700).ok());
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(files_.MakeDirectory(path += "/d", 0700).ok());
  const Status refused = files_.RemoveTree(Path("tree"));
  EXPECT_EQ(refused.code(), Code::kInvalidArgument);
  EXPECT_THAT(refused.message(), HasSubstr("directories deep"));
}

TEST_F(PosixFileSystemTest, RemoveIsForFiles) {
  Write(Path("a"), "");
  EXPECT_TRUE(files_.Remove(Path("a")).ok());
  EXPECT_EQ(files_.Remove(Path("a")).code(), Code::kNotFound);
  EXPECT_FALSE(files_.Remove(directory_.path()).ok());
}

TEST_F(PosixFileSystemTest, ReleaseGivesDiskSpaceBackAndKeepsTheSize) {
  Write(Path("a"), std::string(4 << 20, 'x'));
  const auto file = files_.Open(Path("a"));
  ASSERT_TRUE(file.ok());
  (*file)->Release(1 << 20, 2 << 20);
  struct stat info = {};
  ASSERT_EQ(::stat(Path("a").c_str(), &info), 0);
  EXPECT_EQ(info.st_size, 4 << 20);
  EXPECT_LE(info.st_blocks * 512, 5 << 19);
  char scratch[1];
  EXPECT_EQ(*(*file)->ReadAt(0, 1, scratch), 1u);
  EXPECT_EQ(scratch[0], 'x');
}

TEST_F(PosixFileSystemTest, FreeBytesAsksTheFileSystemOfThePath) {
  EXPECT_GT(*files_.FreeBytes(directory_.path()), 0u);
  EXPECT_EQ(files_.FreeBytes(Path("none")).status().code(), Code::kNotFound);
}

TEST(NoSpaceError, NamesPathNeedAndFreeSpace) {
  const Status full = NoSpaceError(ENOSPC, "/dev/full", 3 << 20);
  EXPECT_EQ(full.code(), Code::kResourceExhausted);
  EXPECT_THAT(full.message(), HasSubstr("/dev/full"));
  EXPECT_THAT(full.message(), HasSubstr("No space left on device"));
  EXPECT_THAT(full.message(), HasSubstr("needed"));
  EXPECT_THAT(full.message(), HasSubstr("free; free space or choose another directory"));
}

TEST_F(PosixFileSystemTest, FileBeyondTheProcessLimitIsResourceExhausted) {
  auto file = files_.Create(Path("a"));
  ASSERT_TRUE(file.ok());
  rlimit before = {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  rlimit low = before;
  low.rlim_cur = 10'000;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &low), 0);
  // The first write is cut short by the limit, the second one refused.
  const Status status = (*file)->Append(std::string(20'000, 'x'));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ::signal(SIGXFSZ, handler);
  EXPECT_EQ(status.code(), Code::kResourceExhausted);
  EXPECT_THAT(status.message(), HasSubstr(Path("a")));
  EXPECT_EQ(files_.Stat(Path("a"))->bytes, 10'000u);
}

TEST_F(PosixFileSystemTest, NoDescriptorLeftIsResourceExhausted) {
  Write(Path("a"), "");
  rlimit before = {};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit low = before;
  low.rlim_cur = 0;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  const auto opened = files_.Open(Path("a"));
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(opened.status().code(), Code::kResourceExhausted);
  EXPECT_THAT(opened.status().message(), HasSubstr("ulimit -n"));
}

TEST_F(PosixFileSystemTest, SyncsDirectories) {
  EXPECT_TRUE(files_.SyncDirectory(directory_.path()).ok());
  EXPECT_EQ(files_.SyncDirectory(Path("none")).code(), Code::kNotFound);
}

}  // namespace
}  // namespace spillway
