#include "runtime/storage/owner_marker.h"

#include "runtime/storage/process_identity.h"
#include "shuffle/store/kill_point.h"

namespace spillway {

namespace {

constexpr std::size_t kMarkerBytesMax = 4096;

}  // namespace

Status WriteOwnerMarker(FileSystem& files, const std::string& directory) {
  return WriteOwnerText(files, directory, ProcessIdentity::Self().Format(), false);
}

Status WriteOwnerText(FileSystem& files, const std::string& directory, const std::string& text,
                      bool durable) {
  SPILLWAY_ASSIGN_OR_RETURN(const auto file, files.Create(directory + "/" + kOwnerMarkerName));
  KillPoint("owner-created");
  SPILLWAY_RETURN_IF_ERROR(file->Append(text));
  if (durable) SPILLWAY_RETURN_IF_ERROR(file->Sync());
  return file->Close();
}

Result<std::string> ReadOwnerText(FileSystem& files, const std::string& directory) {
  SPILLWAY_ASSIGN_OR_RETURN(const auto file, files.Open(directory + "/" + kOwnerMarkerName));
  std::string text(kMarkerBytesMax, '\0');
  SPILLWAY_ASSIGN_OR_RETURN(const std::uint64_t bytes, file->ReadAt(0, text.size(), text.data()));
  text.resize(bytes);
  return text;
}

Ownership ReadOwnerMarker(FileSystem& files, const std::string& directory) {
  const auto text = ReadOwnerText(files, directory);
  if (!text.ok()) return Ownership::kForeign;
  const auto owner = ProcessIdentity::Parse(*text);
  if (!owner.has_value()) return Ownership::kForeign;
  return owner->IsDead() ? Ownership::kDead : Ownership::kAlive;
}

}  // namespace spillway
