// Outputs over a power cut: what was reported as durable is there afterwards.

#include <gmock/gmock.h>

#include <string>
#include <tuple>
#include <vector>

#include "runtime/storage/attempt_output.h"
#include "runtime/storage/output_staging.h"
#include "runtime/storage/part_file.h"
#include "tests/runtime/storage/power_cut_file_system.h"

namespace spillway {
namespace {

using Disk = PowerCutFileSystem::Disk;
using testing::ElementsAre;
using testing::IsSupersetOf;

constexpr int kChangesMax = 100;
const char* const kOut = "/d/out";

std::string Read(FileSystem& files, const std::string& path) {
  const auto file = files.Open(path);
  if (!file.ok()) return "none";
  std::string text(64, '\0');
  text.resize((*file)->ReadAt(0, text.size(), text.data()).value());
  return text;
}

/// What is there of a job with two parts when the power goes: what the coordinator has been told.
struct Told {
  std::vector<CommittedPart> parts;
  std::string staging_dir;
  bool committed = false;
};

Status WritePart(FileSystem& files, std::uint32_t part, const std::string& text, Told& told) {
  SPILLWAY_ASSIGN_OR_RETURN(
      const auto file, PartFile::Create(files, told.staging_dir, {.part = part, .attempt = 1}));
  SPILLWAY_RETURN_IF_ERROR(file->Append(text));
  SPILLWAY_RETURN_IF_ERROR(file->Finish());
  told.parts.push_back({part, 1, file->info()});
  return OkStatus();
}

Status RunJob(FileSystem& files, const StagingOptions& options, Told& told) {
  SPILLWAY_ASSIGN_OR_RETURN(const auto staging, OutputStaging::Create(files, options));
  told.staging_dir = staging->staging_dir();
  SPILLWAY_RETURN_IF_ERROR(WritePart(files, 0, "zero", told));
  SPILLWAY_RETURN_IF_ERROR(WritePart(files, 1, "one", told));
  SPILLWAY_RETURN_IF_ERROR(staging->CommitJob("", told.parts));
  told.committed = true;
  return OkStatus();
}

/// An output that was there before has nothing but a manifest.
Status MakeOldOutput(PowerCutFileSystem& files) {
  SPILLWAY_RETURN_IF_ERROR(files.MakeDirectory(kOut, 0755));
  SPILLWAY_ASSIGN_OR_RETURN(const auto file, files.Create(std::string(kOut) + "/" + kManifestName));
  SPILLWAY_RETURN_IF_ERROR(files.SyncDirectory(kOut));
  return files.SyncDirectory("/d");
}

void ExpectWhole(PowerCutFileSystem& files) {
  EXPECT_THAT(files.List(kOut).value(),
              IsSupersetOf({"_SUCCESS", "_manifest.json", "part-00000", "part-00001"}));
  EXPECT_EQ(Read(files, "/d/out/part-00000"), "zero");
  EXPECT_EQ(Read(files, "/d/out/part-00001"), "one");
  EXPECT_THAT(Read(files, "/d/out/_manifest.json"), testing::StartsWith("{\n  \"format\": 1,"));
}

class PowerCutTest : public testing::TestWithParam<std::tuple<Disk, bool>> {
 protected:
  StagingOptions Options() const {
    StagingOptions options;
    options.output_dir = kOut;
    options.job_id = "job";
    options.parts = 2;
    if (std::get<bool>(GetParam())) options.overwrite = Overwrite::kWhole;
    options.owner = "cluster c";
    return options;
  }

  void ExpectWhatWasPromised(PowerCutFileSystem& files, const Told& told) {
    const auto names = files.List(kOut);
    const bool old = names.ok() && *names == std::vector<std::string>{kManifestName};
    EXPECT_FALSE(names.ok() && !old && !files.Stat("/d/out/_SUCCESS").ok()) << "half an output";
    if (told.committed || (names.ok() && !old)) ExpectWhole(files);
    if (told.parts.size() < 2) return;
    // Both commits were granted: the next coordinator goes on from there.
    const auto adopted = OutputStaging::Adopt(files, Options(), told.staging_dir);
    ASSERT_TRUE(adopted.ok()) << adopted.status().message();
    const Status status = (*adopted)->CommitJob("", told.parts);
    ASSERT_TRUE(status.ok()) << status.message();
    ExpectWhole(files);
  }
};

TEST_P(PowerCutTest, WhatWasSaidToBeCommittedIsThereAndNothingHalfIs) {
  const auto [disk, overwrite] = GetParam();
  bool committed = false;
  for (int changes = 4; !committed; ++changes) {
    SCOPED_TRACE("cut after " + std::to_string(changes) + " changes");
    ASSERT_LT(changes, kChangesMax);
    PowerCutFileSystem files("/d", changes);
    if (overwrite) {
      ASSERT_TRUE(MakeOldOutput(files).ok());
    }
    Told told;
    const Status ran = RunJob(files, Options(), told);
    EXPECT_EQ(ran.ok(), told.committed) << ran.message();
    committed = told.committed && !files.cut();
    files.Restore(disk);
    ExpectWhatWasPromised(files, told);
  }
}

INSTANTIATE_TEST_SUITE_P(Disks, PowerCutTest,
                         testing::Combine(testing::Values(Disk::kKeepsAllNames,
                                                          Disk::kKeepsSyncedNames),
                                          testing::Bool()));

class ReplacedDirectoriesTest : public testing::TestWithParam<Disk> {
 protected:
  static StagingOptions Options(const std::string& job_id) {
    StagingOptions options;
    options.output_dir = kOut;
    options.job_id = job_id;
    options.parts = 1;
    options.overwrite = Overwrite::kDirectories;
    options.has_parts = false;
    options.owner = "cluster c";
    return options;
  }

  Status RunJob(FileSystem& files, const std::string& job_id, const std::string& text, Told& told) {
    SPILLWAY_ASSIGN_OR_RETURN(const auto staging, OutputStaging::Create(files, Options(job_id)));
    told.staging_dir = staging->staging_dir();
    AttemptOutputOptions options;
    options.staging_dir = told.staging_dir;
    options.has_part = false;
    SPILLWAY_ASSIGN_OR_RETURN(const auto output, AttemptOutput::Create(files, budget_, options));
    for (const char* directory : {"d=1/h=1", "d=1/h=2", "d=2/h=1"})
      SPILLWAY_RETURN_IF_ERROR(output->AppendTo(directory, text, 1));
    SPILLWAY_RETURN_IF_ERROR(output->Finish());
    told.parts.push_back({0, 0, output->info()});
    SPILLWAY_RETURN_IF_ERROR(staging->CommitJob("", told.parts));
    told.committed = true;
    return OkStatus();
  }

  static void ExpectAll(PowerCutFileSystem& files, const std::string& text) {
    for (const char* directory : {"d=1/h=1", "d=1/h=2", "d=2/h=1"}) {
      const std::string place = std::string(kOut) + "/" + directory;
      EXPECT_EQ(Read(files, place + "/part-00000"), text) << directory;
      EXPECT_THAT(files.List(place).value(), IsSupersetOf({"_manifest.json", "part-00000"}));
    }
    EXPECT_TRUE(files.Stat(std::string(kOut) + "/_SUCCESS").ok());
  }

  MemoryBudget budget_{1 << 20};
};

TEST_P(ReplacedDirectoriesTest, AreEachOldOrNewAndAllNewWhenThatWasSaid) {
  bool committed = false;
  bool mixed = false;
  int before_changes = 0;
  for (int changes = 0; !committed; ++changes) {
    SCOPED_TRACE("cut after " + std::to_string(changes) + " changes");
    ASSERT_LT(changes, 4 * kChangesMax);
    PowerCutFileSystem files("/d", before_changes + changes);
    Told old;
    if (!RunJob(files, "before", "old", old).ok()) {
      before_changes += 1;  // The job before is to be whole.
      --changes;
      continue;
    }
    Told told;
    const Status ran = RunJob(files, "job", "new", told);
    EXPECT_EQ(ran.ok(), told.committed) << ran.message();
    committed = told.committed && !files.cut();
    files.Restore(GetParam());
    int replaced = 0;
    for (const char* directory : {"d=1/h=1", "d=1/h=2", "d=2/h=1"}) {
      const std::string text = Read(files, std::string(kOut) + "/" + directory + "/part-00000");
      EXPECT_TRUE(text == "old" || text == "new") << directory << ": " << text;
      replaced += text == "new" ? 1 : 0;
    }
    mixed = mixed || (replaced > 0 && replaced < 3);
    if (told.committed) ExpectAll(files, "new");
    if (told.parts.empty()) continue;
    const auto adopted = OutputStaging::Adopt(files, Options("job"), told.staging_dir);
    ASSERT_TRUE(adopted.ok()) << adopted.status().message();
    const Status status = (*adopted)->CommitJob("", told.parts);
    ASSERT_TRUE(status.ok()) << status.message();
    ExpectAll(files, "new");
  }
  EXPECT_TRUE(mixed || GetParam() == Disk::kKeepsSyncedNames);
}

INSTANTIATE_TEST_SUITE_P(Disks, ReplacedDirectoriesTest,
                         testing::Values(Disk::kKeepsAllNames, Disk::kKeepsSyncedNames));

TEST(FailedSyncTest, IsNotTriedAgainAndTheFileGoes) {
  PowerCutFileSystem files("/d", kChangesMax);
  ASSERT_TRUE(files.MakeDirectory("/d/attempts", 0755).ok());
  auto part = PartFile::Create(files, "/d", {.part = 0, .attempt = 0}).value();
  ASSERT_TRUE(part->Append("zero").ok());
  files.FailNextSync();
  EXPECT_EQ(part->Finish().code(), Code::kResourceExhausted);
  part.reset();
  EXPECT_EQ(files.syncs(), 1);
  EXPECT_THAT(files.List("/d/attempts").value(), ElementsAre());
}

}  // namespace
}  // namespace spillway
