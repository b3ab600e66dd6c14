// SPDX-License-Identifier: Apache-2.0
#include "mounts/followers.h"

#include <dirent.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/base/clock.h"
#include "core/base/mount_groups.h"
#include "core/base/result.h"
#include "core/base/text.h"
#include "mounts/mount_groups.h"

namespace mounts {
namespace {

using core::MountGroups;
using core::Result;
using core::SystemError;

// Of all mount namespaces together.
constexpr core::Nanoseconds kSearchedFor = std::chrono::seconds(1);

// The first pid namespace has this inode number on every kernel (PROC_PID_INIT_INO).
constexpr std::string_view kHostPidNamespace = "pid:[4026531836]";

std::string ReadLink(const std::string& path) {
  std::array<char, 64> target{};
  const ssize_t length = readlink(path.c_str(), target.data(), target.size());
  return length > 0 ? std::string(target.data(), static_cast<size_t>(length)) : std::string();
}

void AddFollowed(const std::vector<MountGroups>& table,
                 const LayerGroups& layers,
                 std::unordered_set<uint64_t>& followed) {
  std::unordered_map<uint64_t, const MountGroups*> by_id;
  for (const MountGroups& mount : table) by_id[mount.id] = &mount;
  for (const MountGroups& mount : table) {
    for (const uint64_t group : {mount.shared, mount.master}) {
      const auto layer = layers.find(group);
      if (group == 0 || layer == layers.end()) continue;
      const auto parent = by_id.find(mount.parent);
      const bool is_stacked =
          parent != by_id.end() && layer->second != 0 &&
          (parent->second->shared == layer->second || parent->second->master == layer->second);
      if (!is_stacked) followed.insert(group);
    }
  }
}

std::unordered_set<uint64_t> AllOf(const LayerGroups& layers) {
  std::unordered_set<uint64_t> all;
  for (const auto& [group, beneath] : layers) all.insert(group);
  return all;
}

}  // namespace

Result<std::unordered_set<uint64_t>> FindFollowed(const LayerGroups& layers) {
  if (ReadLink("/proc/self/ns/pid") != kHostPidNamespace) return AllOf(layers);
  std::unordered_set<uint64_t> followed;
  const core::Nanoseconds until = core::NowMonotonic() + kSearchedFor;
  DIR* const processes = opendir("/proc");
  if (processes == nullptr) return SystemError("open", "/proc");
  std::unordered_set<std::string> namespaces;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): this stream is ours alone.
  while (const dirent* entry = readdir(processes)) {
    if (!core::ParseU64(entry->d_name)) continue;
    const std::string process = std::string("/proc/") + entry->d_name;
    const std::string name = ReadLink(process + "/ns/mnt");
    // One that has ended has no mounts any more.
    if (name.empty() || !namespaces.insert(name).second) continue;
    const auto mounts = ReadMountGroups(process);
    if (mounts) {
      AddFollowed(*mounts, layers, followed);
    } else {
      namespaces.erase(name);  // another process of it may be there still
    }
    if (core::NowMonotonic() < until && (mounts || mounts.error().errno_value != EFBIG)) continue;
    // Who has made so many mounts, or namespaces, does not keep a daemon from its start.
    followed = AllOf(layers);
    break;
  }
  closedir(processes);
  return followed;
}

}  // namespace mounts
