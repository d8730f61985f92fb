#include "runtime/cli/plan_text.h"

#include <algorithm>
#include <utility>

#include "mapreduce/base/units.h"
#include "runtime/cli/quantity_text.h"

namespace spillway {
namespace {

constexpr std::size_t kSplitsShown = 5;
constexpr std::size_t kLabelColumns = 12;
constexpr std::size_t kPathBytesMax = 200;

std::string Label(std::string label) {
  label.resize(std::max(kLabelColumns, label.size() + 1), ' ');
  return "  " + label;
}

std::string Shown(const std::string& text) { return EscapeForLog(text, kPathBytesMax); }

std::string Directories(std::uint64_t count) {
  return count == 1 ? "1 directory" : FormatCount(count) + " directories";
}

std::string JobLines(const JobPlan& plan) {
  std::string classes = "mapper " + Shown(plan.mapper_name);
  if (!plan.reducer_name.empty()) classes += ", reducer " + Shown(plan.reducer_name);
  classes += ", input " + Shown(plan.input_name) + ", output " + Shown(plan.output_name);
  if (plan.writes_directories) classes += " in directories";
  return Label("plugin") + Shown(plan.plugin_path) + "\n" + Label("") + classes + "\n";
}

std::string InputLines(const JobPlan& plan) {
  std::string text = Label("input") + FormatNoun(plan.input_files, "file") + ", " +
                     FormatBytes(plan.input_bytes) + " in " +
                     FormatNoun(plan.splits.size(), "split") + "\n";
  if (plan.archives > 0)
    text += Label("") + FormatNoun(plan.archives, "compressed file") + ", " +
            FormatCount(plan.archives_split) + " of them split\n";
  if (plan.partitions_read + plan.partitions_passed_over > 0)
    text += Label("") + "--where reads " + Directories(plan.partitions_read) + " and passes over " +
            FormatCount(plan.partitions_passed_over) + "\n";
  const std::size_t shown = std::min(kSplitsShown, plan.splits.size());
  for (std::size_t i = 0; i < shown; ++i) {
    const PlannedSplit& split = plan.splits[i];
    text += Label("") + std::to_string(i) + ": " + Shown(split.path) + ", " +
            FormatBytes(split.bytes) + " from byte " + FormatCount(split.offset) + "\n";
  }
  if (plan.splits.size() > shown)
    text += Label("") + "and " + FormatNoun(plan.splits.size() - shown, "more split") + "\n";
  return text;
}

std::string ScratchLines(const JobPlan& plan) {
  if (plan.scratch_bytes_needed == 0)
    return Label("scratch") + "none needed: everything fits in memory\n";
  std::string text =
      Label("scratch") + "up to " + FormatBytes(plan.scratch_bytes_needed) + " needed\n";
  for (const ScratchForecast& scratch : plan.scratch)
    text +=
        Label("") + Shown(scratch.directory) + ": " + FormatBytes(scratch.free_bytes) + " free\n";
  return text;
}

std::uint64_t FreeScratchBytes(const JobPlan& plan) {
  std::uint64_t free_bytes = 0;
  for (const ScratchForecast& scratch : plan.scratch)
    free_bytes =
        scratch.free_bytes > UINT64_MAX - free_bytes ? UINT64_MAX : free_bytes + scratch.free_bytes;
  return free_bytes;
}

}  // namespace

std::string PlanText(const JobPlan& plan) {
  std::string text = "Plan for " + Shown(plan.job_name) + ":\n" + JobLines(plan) + InputLines(plan);
  // Where there are stages for disk mode, as many others take their place in memory mode.
  const auto stages =
      std::count_if(plan.chain.begin(), plan.chain.end(),
                    [](const PlannedStage& stage) { return stage.when != SPILLWAY_STAGE_ON_DISK; });
  if (stages > 0)
    text += Label("chain") + FormatNoun(static_cast<std::uint64_t>(stages), "stage") +
            "; this is the first, the others are planned when they can be\n";
  text += Label("shuffle") + plan.shuffle;
  if (plan.partitions > 0) text += ", " + FormatNoun(plan.partitions, "partition");
  text += "\n" + Label("tasks") + FormatNoun(plan.maps, "map") + ", " +
          FormatNoun(plan.partitions, "reduce");
  if (!plan.coordinator.empty())
    return text + "\n" + Label("runs on") + Shown(plan.coordinator) +
           ", by its workers' slots, memory and disks\n";
  text += ", up to " + FormatCount(plan.threads) + " at once\n";
  text += Label("memory") + FormatBytes(plan.memory_bytes) + ": " +
          FormatBytes(plan.task_memory_bytes) + " for each running task, " +
          FormatBytes(plan.segment_memory_bytes) + " for map outputs\n";
  return text + ScratchLines(plan);
}

std::string ReasonsText(const JobPlan& plan) {
  std::size_t widest = 0;
  for (const auto& [setting, reason] : plan.reasons) widest = std::max(widest, setting.size());
  std::string text = "How the settings were chosen:\n";
  for (const auto& [setting, reason] : plan.reasons) {
    std::string name = setting;
    name.resize(widest + 2, ' ');
    text += "  " + name + reason + "\n";
  }
  return text;
}

std::string OriginsText(const Settings& settings) {
  std::string text = "Settings that were named:\n";
  const auto all = settings.All();
  for (const SettingValue& setting : all) {
    std::string values;
    for (const std::string& value : setting.values)
      values += (values.empty() ? "" : ", ") + EscapeForLog(value);
    text += Label(std::string(setting.option->name)) + values + " (from " + setting.origin + ")\n";
  }
  return all.empty() ? text + "  none\n" : text;
}

std::string ScratchWarning(const JobPlan& plan) {
  const std::uint64_t free_bytes = FreeScratchBytes(plan);
  if (plan.scratch_bytes_needed <= free_bytes || !plan.coordinator.empty()) return {};
  std::string directories;
  for (const ScratchForecast& scratch : plan.scratch)
    directories += (directories.empty() ? "" : ", ") + Shown(scratch.directory);
  if (directories.empty()) directories = "the scratch directories";
  return "the job may spill " + FormatBytes(plan.scratch_bytes_needed) + ", but only " +
         FormatBytes(free_bytes) + " are free in " + directories +
         ". Free some space, name further directories with --spill-dir, or give more --memory.";
}

std::vector<std::string> PlanWarnings(const JobPlan& plan) {
  std::vector<std::string> warnings = plan.warnings;
  std::string scratch = ScratchWarning(plan);
  if (!scratch.empty()) warnings.push_back(std::move(scratch));
  return warnings;
}

}  // namespace spillway
