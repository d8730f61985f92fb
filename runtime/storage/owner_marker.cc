#include "runtime/storage/owner_marker.h"

#include "runtime/storage/process_identity.h"

namespace spillway {

namespace {

constexpr std::size_t kMarkerBytesMax = 4096;

}  // namespace

Status WriteOwnerMarker(FileSystem& files, const std::string& directory) {
  SPILLWAY_ASSIGN_OR_RETURN(const auto file, files.Create(directory + "/" + kOwnerMarkerName));
  SPILLWAY_RETURN_IF_ERROR(file->Append(ProcessIdentity::Self().Format()));
  return file->Close();
}

Ownership ReadOwnerMarker(FileSystem& files, const std::string& directory) {
  const auto file = files.Open(directory + "/" + kOwnerMarkerName);
  if (!file.ok()) return Ownership::kForeign;
  std::string text(kMarkerBytesMax, '\0');
  const auto bytes = (*file)->ReadAt(0, text.size(), text.data());
  if (!bytes.ok()) return Ownership::kForeign;
  text.resize(*bytes);
  const auto owner = ProcessIdentity::Parse(text);
  if (!owner.has_value()) return Ownership::kForeign;
  return owner->IsDead() ? Ownership::kDead : Ownership::kAlive;
}

}  // namespace spillway
