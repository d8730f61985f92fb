#include "runtime/storage/job_journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <sstream>

#include "runtime/storage/sqlite_database.h"
#include "tests/shuffle/store/temporary_directory.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

using Records = std::vector<std::pair<JobId, std::string>>;
using JournalPtr = std::unique_ptr<JobJournal>;

constexpr std::uint64_t kNow = 1'800'000'000'000;

class JobJournalTest : public testing::Test {
 protected:
  JournalOptions Options(std::uint64_t now = kNow) const {
    JournalOptions options;
    options.directory = directory();
    options.endpoint = "tcp://10.0.0.1:7077";
    options.now_unix_ms = now;
    return options;
  }
  /// As a coordinator of another host would open it, on a disk that moved.
  JournalOptions OptionsOf(const std::string& host, std::uint64_t now = kNow) const {
    JournalOptions options = Options(now);
    options.identity.host = host;
    return options;
  }
  std::string directory() const { return place_.path() + "/state"; }
  std::string file() const { return directory() + "/journal.db"; }

  static JournalPtr Opened(const JournalOptions& options) {
    auto journal = JobJournal::Open(options);
    EXPECT_TRUE(journal.ok()) << journal.status().message();
    return journal.ok() ? std::move(journal).value() : nullptr;
  }
  static Records LoadAll(JobJournal& journal) {
    Records records;
    const Status status = journal.Load([&](JobId job, std::string_view record) {
      records.emplace_back(job, record);
      return OkStatus();
    });
    EXPECT_TRUE(status.ok()) << status.message();
    return records;
  }
  static void CommitOk(JobJournal& journal, Durability durability = Durability::kProcess) {
    const Status status = journal.Commit(durability);
    ASSERT_TRUE(status.ok()) << status.message();
  }

  TemporaryDirectory place_;
};

TEST_F(JobJournalTest, KeepsRecordsInTheOrderOfTheirAppendsAcrossJobs) {
  {
    const JournalPtr journal = Opened(Options());
    EXPECT_EQ(journal->epoch(), 1u);
    journal->Append(2, "a");
    journal->Append(0, "lost");
    journal->Append(2, std::string("b\0c", 3));
    CommitOk(*journal);
    journal->Append(1, "");
    CommitOk(*journal, Durability::kDurable);
    journal->Append(1, "never committed");
  }
  const JournalPtr journal = Opened(Options());
  EXPECT_EQ(journal->epoch(), 2u);
  EXPECT_THAT(LoadAll(*journal), ElementsAre(Pair(2, "a"), Pair(0, "lost"),
                                             Pair(2, std::string("b\0c", 3)), Pair(1, "")));
}

TEST_F(JobJournalTest, AgreesWithAPlainListOverAnyHistory) {
  constexpr std::uint64_t kSeeds = 4;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    const auto below = [&](std::uint64_t n) { return random() % n; };
    JournalOptions options = Options();
    options.directory = place_.path() + "/" + std::to_string(seed);
    JournalPtr journal = Opened(options);
    Records committed, turn;
    std::vector<std::string> ended;
    std::uint64_t next = 0;
    for (int step = 0; step < 150; ++step) {
      const JobId job = below(4);
      const auto of_job = [job](const auto& record) { return record.first == job; };
      switch (below(12)) {
        case 0:
          CommitOk(*journal, below(4) == 0 ? Durability::kDurable : Durability::kProcess);
          for (auto& record : turn) committed.push_back(std::move(record));
          turn.clear();
          break;
        case 1:
          journal.reset();  // With what was not committed.
          turn.clear();
          journal = Opened(options);
          ASSERT_NE(journal, nullptr);
          ASSERT_EQ(LoadAll(*journal), committed);
          break;
        case 2:
          CommitOk(*journal);
          for (auto& record : turn) committed.push_back(std::move(record));
          turn.clear();
          journal->EndJob(job, "job-" + std::to_string(++next), "summary");
          ended.push_back("job-" + std::to_string(next));
          CommitOk(*journal);
          std::erase_if(committed, of_job);
          break;
        default:
          turn.emplace_back(job, std::string(below(50), 'a' + char(below(26))));
          journal->Append(job, turn.back().second);
      }
    }
    CommitOk(*journal);
    committed.insert(committed.end(), turn.begin(), turn.end());
    EXPECT_EQ(LoadAll(*journal), committed);
    const auto history = journal->History(1'000);
    ASSERT_TRUE(history.ok());
    ASSERT_EQ(history.value().size(), ended.size());
    for (std::size_t i = 0; i < ended.size(); ++i)
      EXPECT_EQ(history.value()[i].job_id, ended[ended.size() - 1 - i]);
  }
}

TEST_F(JobJournalTest, EndsAJobWithWhatTheSameTurnHoldsOfIt) {
  const JournalPtr journal = Opened(Options());
  journal->Append(1, "old");
  CommitOk(*journal);
  journal->Append(1, "new");
  journal->Append(2, "other");
  journal->EndJob(1, "20260101-000000-0001", "it went well");
  CommitOk(*journal);
  EXPECT_THAT(LoadAll(*journal), ElementsAre(Pair(2, "other")));
  const auto history = journal->History(10);
  ASSERT_TRUE(history.ok());
  ASSERT_EQ(history->size(), 1u);
  EXPECT_EQ((*history)[0].job_id, "20260101-000000-0001");
  EXPECT_EQ((*history)[0].summary, "it went well");
  EXPECT_EQ((*history)[0].job, 1u);
}

TEST_F(JobJournalTest, ReplacesTheClustersOwnRecords) {
  const JournalPtr journal = Opened(Options());
  for (int i = 0; i < 3; ++i) journal->Append(0, "joined and gone");
  CommitOk(*journal);
  journal->Clear(0);
  journal->Append(0, "who is there now");
  CommitOk(*journal);
  EXPECT_THAT(LoadAll(*journal), ElementsAre(Pair(0, "who is there now")));
}

TEST_F(JobJournalTest, PagesThroughItsHistoryAndTrimsIt) {
  const JournalPtr journal = Opened(Options());
  for (int i = 1; i <= 10; ++i) {
    journal->EndJob(static_cast<JobId>(i), "job-" + std::to_string(i), "");
    CommitOk(*journal);
  }
  const auto page = journal->History(3).value();
  ASSERT_EQ(page.size(), 3u);
  EXPECT_EQ(page[0].job_id, "job-10");
  const auto next = journal->History(3, page.back().sequence).value();
  ASSERT_EQ(next.size(), 3u);
  EXPECT_EQ(next[0].job_id, "job-7");
  journal->TrimHistory(4);
  CommitOk(*journal);
  EXPECT_EQ(journal->History(100).value().size(), 4u);
}

TEST_F(JobJournalTest, KeepsNamedValuesInAFileForItsOwnerOnly) {
  {
    const JournalPtr journal = Opened(Options());
    journal->SetValue("key", "old");
    journal->SetValue("key", std::string("\0\1", 2));
    EXPECT_FALSE(journal->GetValue("key").value().has_value()) << "not committed yet";
    CommitOk(*journal);
    EXPECT_EQ(journal->GetValue("key").value(), std::string("\0\1", 2));
    for (const char* suffix : {"", "-wal", "-shm"}) {
      struct stat found;
      ASSERT_EQ(::stat((file() + suffix).c_str(), &found), 0) << suffix;
      EXPECT_EQ(found.st_mode & 0777, 0600u) << suffix;
    }
  }
  EXPECT_EQ(Opened(Options())->GetValue("key").value(), std::string("\0\1", 2));
}

// --- Who may write.

TEST_F(JobJournalTest, RefusesASecondCoordinatorWhileTheFirstLives) {
  const JournalPtr first = Opened(Options());
  const auto second = JobJournal::Open(Options(kNow + 3'600'000));
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.status().code(), Code::kAlreadyExists);
  for (const std::string& part :
       {std::to_string(::getpid()), ProcessIdentity::Self().host,
        std::string("tcp://10.0.0.1:7077"), std::string("2027-01-15 08:00:00 UTC")}) {
    EXPECT_THAT(second.status().message(), HasSubstr(part));
  }
  first->Append(1, "goes on");
  EXPECT_TRUE(first->Commit(Durability::kDurable).ok());
}

TEST_F(JobJournalTest, TakesOverFromAnotherHostWhenItsBeatsEnd) {
  const JournalPtr first = Opened(OptionsOf("elsewhere"));
  first->Append(1, "mine");
  CommitOk(*first);
  ASSERT_TRUE(first->Beat(kNow + 10'000).ok());
  EXPECT_EQ(JobJournal::Open(Options(kNow + 39'000)).status().code(), Code::kAlreadyExists);
  const JournalPtr second = Opened(Options(kNow + 41'000));
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(second->epoch(), 2u);

  // The first was only stopped for a while, and comes back.
  first->Append(1, "from the dead");
  EXPECT_EQ(first->Commit(Durability::kDurable).code(), Code::kAborted);
  EXPECT_EQ(first->Beat(kNow + 50'000).code(), Code::kAborted);
  EXPECT_EQ(first->Commit(Durability::kProcess).code(), Code::kAborted) << "and stays so";
  EXPECT_THAT(LoadAll(*second), ElementsAre(Pair(1, "mine")));
  second->Append(1, "the heir's");
  EXPECT_TRUE(second->Commit(Durability::kDurable).ok());
}

TEST_F(JobJournalTest, AFencedCoordinatorThatEndsDoesNotGiveUpForItsHeir) {
  JournalPtr first = Opened(OptionsOf("elsewhere"));
  const JournalPtr second = Opened(Options(kNow + 60'000));
  first.reset();
  EXPECT_EQ(JobJournal::Open(Options(kNow + 60'000)).status().code(), Code::kAlreadyExists);
}

TEST_F(JobJournalTest, KeepsItsNameAndDiffersFromOthers) {
  const std::string name = Opened(Options())->name();
  EXPECT_EQ(name.size(), 32u);
  EXPECT_EQ(Opened(Options())->name(), name);
  JournalOptions other = Options();
  other.directory = place_.path() + "/other";
  EXPECT_NE(Opened(other)->name(), name);
}

// --- Death.

/// Turns of three records each, for jobs 0, 1 and 2, that name their turn.
std::string TurnRecordText(std::uint64_t turn, JobId job) {
  return std::to_string(turn) + ":" + std::to_string(job) + std::string(turn % 700, '.');
}

[[noreturn]] void WriteTurnsFor(const JournalOptions& options, int acknowledge) {
  auto journal = JobJournal::Open(options);
  if (!journal.ok()) ::_exit(1);
  std::uint64_t turn = 0;
  const Status loaded = journal.value()->Load([&](JobId, std::string_view) {
    ++turn;
    return OkStatus();
  });
  if (!loaded.ok()) ::_exit(2);
  for (turn /= 3;; ++turn) {
    for (const JobId job : {1u, 0u, 2u}) journal.value()->Append(job, TurnRecordText(turn, job));
    const bool durable = turn % 7 == 0;
    if (!journal.value()->Commit(durable ? Durability::kDurable : Durability::kProcess).ok())
      ::_exit(3);
    if (::write(acknowledge, &turn, sizeof turn) != sizeof turn) ::_exit(4);
  }
}

bool ReadTurn(int pipe, std::uint64_t& turns) {
  std::uint64_t turn = 0;
  if (::read(pipe, &turn, sizeof turn) != static_cast<ssize_t>(sizeof turn)) return false;
  turns = turn + 1;
  return true;
}

TEST_F(JobJournalTest, HasEveryCommittedTurnAndNoPartOfAnotherAfterAKill) {
  std::mt19937_64 random(4711);
  std::uint64_t acknowledged = 0;  // Turns.
  for (int round = 0; round < 15; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    int pipe[2];
    ASSERT_EQ(::pipe(pipe), 0);
    const pid_t child = ::fork();
    if (child == 0) WriteTurnsFor(Options(), pipe[1]);
    ::close(pipe[1]);
    for (std::uint64_t acks = random() % 200; acks > 0; --acks)
      ASSERT_TRUE(ReadTurn(pipe[0], acknowledged));
    // Somewhere in its next turns.
    volatile std::uint64_t spin = random() % 1'000'000;
    while (spin > 0) spin = spin - 1;
    ::kill(child, SIGKILL);
    int how = 0;
    ASSERT_EQ(::waitpid(child, &how, 0), child);
    ASSERT_TRUE(WIFSIGNALED(how)) << "it ended by itself: " << WEXITSTATUS(how);
    while (ReadTurn(pipe[0], acknowledged)) {
    }
    ::close(pipe[0]);

    const JournalPtr journal = Opened(Options());
    ASSERT_NE(journal, nullptr);
    const Records records = LoadAll(*journal);
    ASSERT_EQ(records.size() % 3, 0u) << "half a turn";
    ASSERT_GE(records.size() / 3, acknowledged);
    for (std::size_t i = 0; i < records.size(); ++i) {
      const JobId job = std::array<JobId, 3>{1, 0, 2}[i % 3];
      ASSERT_EQ(records[i], std::pair(job, TurnRecordText(i / 3, job)));
    }
  }
}

TEST_F(JobJournalTest, KnowsALivingHolderFromADeadOne) {
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto journal = JobJournal::Open(Options());
    const char ready = journal.ok() ? 'y' : 'n';
    if (::write(pipe[1], &ready, 1) == 1) ::pause();
    ::_exit(0);
  }
  char ready = 0;
  ASSERT_EQ(::read(pipe[0], &ready, 1), 1);
  ASSERT_EQ(ready, 'y');
  const auto refused = JobJournal::Open(Options());
  EXPECT_EQ(refused.status().code(), Code::kAlreadyExists);
  EXPECT_THAT(refused.status().message(), HasSubstr("process " + std::to_string(child)));
  ::kill(child, SIGSTOP);
  EXPECT_EQ(JobJournal::Open(Options(kNow + 3'600'000)).status().code(), Code::kAlreadyExists)
      << "stopped is not dead";
  ::kill(child, SIGKILL);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_EQ(Opened(Options())->epoch(), 2u);
  ::close(pipe[0]);
  ::close(pipe[1]);
}

// --- Bad files.

TEST_F(JobJournalTest, RefusesWhatIsNoJournal) {
  std::filesystem::create_directory(directory());
  std::ofstream(file()) << "Dear diary, " << std::string(5'000, 'x');
  const Status text = JobJournal::Open(Options()).status();
  EXPECT_EQ(text.code(), Code::kDataLoss) << text.message();
  EXPECT_THAT(text.message(), HasSubstr(file()));

  std::filesystem::resize_file(file(), 0);
  auto foreign = SqliteDatabase::Open(file(), 0);
  ASSERT_TRUE(foreign.ok());
  ASSERT_TRUE(foreign.value()->Run("CREATE TABLE songs (title TEXT)").ok());
  const Status songs = JobJournal::Open(Options()).status();
  EXPECT_EQ(songs.code(), Code::kInvalidArgument);
  EXPECT_THAT(songs.message(), HasSubstr("another program"));
}

TEST_F(JobJournalTest, RefusesANewerVersionAndNamesBoth) {
  { const JournalPtr journal = Opened(Options()); }
  auto newer = SqliteDatabase::Open(file(), 0);
  ASSERT_TRUE(newer.ok() && newer.value()->Run("PRAGMA user_version = 2").ok());
  const Status status = JobJournal::Open(Options()).status();
  EXPECT_EQ(status.code(), Code::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("version 2"));
  EXPECT_THAT(status.message(), HasSubstr("version 1"));
}

TEST_F(JobJournalTest, DoesNotFollowASymbolicLink) {
  std::filesystem::create_directory(directory());
  std::ofstream(place_.path() + "/victim").flush();
  std::filesystem::create_symlink(place_.path() + "/victim", file());
  EXPECT_FALSE(JobJournal::Open(Options()).ok());
  EXPECT_EQ(std::filesystem::file_size(place_.path() + "/victim"), 0u);
}

TEST_F(JobJournalTest, NamesTheRowThatIsDamaged) {
  {
    const JournalPtr journal = Opened(Options());
    for (const char* record : {"first", "second", "third"}) {
      journal->Append(1, record);
      CommitOk(*journal);
    }
  }
  for (const char* damage : {"UPDATE turn_rows SET records = x'0007736563306e64' WHERE row = 2",
                             "UPDATE turn_rows SET job = 2 WHERE row = 2"}) {
    std::filesystem::copy_file(file(), file() + ".whole");
    {
      auto database = SqliteDatabase::Open(file(), 0);
      ASSERT_TRUE(database.ok() && database.value()->Run(damage).ok());
    }
    Records records;
    const Status status = Opened(Options())->Load([&](JobId job, std::string_view record) {
      records.emplace_back(job, record);
      return OkStatus();
    });
    EXPECT_EQ(status.code(), Code::kDataLoss) << damage;
    EXPECT_THAT(status.message(), HasSubstr("row 2"));
    EXPECT_THAT(records, ElementsAre(Pair(1, "first")));
    std::filesystem::rename(file() + ".whole", file());
  }
}

TEST_F(JobJournalTest, GivesWhatWasWrittenOrDataLossWhenTheFileIsDamaged) {
  Records written;
  {
    const JournalPtr journal = Opened(Options());
    for (int i = 0; i < 400; ++i) {
      written.emplace_back(i % 5, std::string(100 + i % 300, static_cast<char>('a' + i % 26)));
      journal->Append(written.back().first, written.back().second);
      if (i % 3 == 0) CommitOk(*journal);
    }
    CommitOk(*journal);
  }
  std::ifstream in(file(), std::ios::binary);
  std::stringstream whole;
  whole << in.rdbuf();
  std::mt19937_64 random(99);
  int found = 0;
  for (int round = 0; round < 60; ++round) {
    std::string bytes = whole.str();
    const std::size_t at = random() % bytes.size();
    const bool cut = round % 10 == 9;
    if (cut) bytes.resize(at);
    if (!cut) bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
    for (const char* suffix : {"-wal", "-shm"}) std::filesystem::remove(file() + suffix);
    std::ofstream(file(), std::ios::binary) << bytes;
    SCOPED_TRACE("round " + std::to_string(round) + ", byte " + std::to_string(at));
    const auto journal = JobJournal::Open(Options());
    if (!journal.ok()) {
      ++found;
      continue;
    }
    Records records;
    const Status status = journal.value()->Load([&](JobId job, std::string_view record) {
      records.emplace_back(job, record);
      return OkStatus();
    });
    if (status.ok()) {
      ASSERT_TRUE(records == written || (cut && at == 0));
    } else {
      ++found;
      EXPECT_EQ(status.code(), Code::kDataLoss);
    }
    ASSERT_LE(records.size(), written.size());
    for (std::size_t i = 0; i < records.size(); ++i) ASSERT_EQ(records[i], written[i]);
  }
  EXPECT_GT(found, 15);
}

// --- Full disks.

class SmallDisk {
 public:
  explicit SmallDisk(const std::string& path) : path_(path) {
    std::filesystem::create_directory(path);
    mounted_ = ::mount("tmpfs", path.c_str(), "tmpfs", 0, "size=1m") == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }
  bool Grow() const { return ::mount("tmpfs", path_.c_str(), "tmpfs", MS_REMOUNT, "size=8m") == 0; }

 private:
  const std::string path_;
  bool mounted_ = false;
};

TEST_F(JobJournalTest, StopsOnAFullDiskWithEveryCommittedTurnThere) {
  const SmallDisk disk(directory());
  if (!disk.mounted()) GTEST_SKIP() << "tmpfs cannot be mounted here: " << std::strerror(errno);
  std::size_t committed = 0;
  {
    const JournalPtr journal = Opened(Options());
    ASSERT_NE(journal, nullptr);
    Status status;
    while (status.ok() && committed < 10'000) {
      journal->Append(1, std::string(3'000, 'x'));
      status = journal->Commit(committed % 2 == 0 ? Durability::kDurable : Durability::kProcess);
      if (status.ok()) ++committed;
    }
    EXPECT_EQ(status.code(), Code::kResourceExhausted) << status.message();
    EXPECT_THAT(status.message(), HasSubstr(file()));
    journal->Append(1, "x");
    EXPECT_EQ(journal->Commit(Durability::kDurable).code(), Code::kResourceExhausted);
  }
  EXPECT_GT(committed, 10u);
  EXPECT_FALSE(JobJournal::Open(Options()).ok()) << "there is no place to take over";
  ASSERT_TRUE(disk.Grow());
  // The holder could not give up, and it is this process.
  JournalOptions heir = OptionsOf("elsewhere", kNow + 60'000);
  const JournalPtr journal = Opened(heir);
  ASSERT_NE(journal, nullptr);
  EXPECT_EQ(LoadAll(*journal).size(), committed);
  journal->Append(1, "again");
  EXPECT_TRUE(journal->Commit(Durability::kDurable).ok());
}

TEST_F(JobJournalTest, SaysWhyADirectoryCannotBeUsed) {
  JournalOptions options = Options();
  options.directory = place_.path() + "/missing/state";
  const Status missing = JobJournal::Open(options).status();
  EXPECT_EQ(missing.code(), Code::kNotFound);
  EXPECT_THAT(missing.message(), HasSubstr(options.directory));
}

}  // namespace
}  // namespace spillway
