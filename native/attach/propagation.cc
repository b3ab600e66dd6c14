// SPDX-License-Identifier: Apache-2.0
#include "attach/propagation.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <optional>
#include <string>

#include "attach/mount_table.h"
#include "attach/outside_peers.h"
#include "attach/process.h"
#include "attach/target.h"
#include "core/base/fd.h"
#include "core/base/read_file.h"

namespace attach {
namespace {

using core::Fd;
using core::FileBuffer;

// The same number on every machine.
constexpr int64_t kStatmount = 457;

// linux/mount.h has these since 6.8.
constexpr unsigned kStatxMountIdUnique = 0x4000;
constexpr uint64_t kStatmountBasic = 0x2;

struct MountIdRequest {
  uint32_t size = 24;  // MNT_ID_REQ_SIZE_VER0
  uint32_t spare = 0;
  uint64_t mount_id = 0;
  uint64_t param = 0;
};

struct StatMount {
  uint32_t size;
  uint32_t mnt_opts;
  uint64_t mask;
  uint32_t sb_dev_major;
  uint32_t sb_dev_minor;
  uint64_t sb_magic;
  uint32_t sb_flags;
  uint32_t fs_type;
  uint64_t mnt_id;
  uint64_t mnt_parent_id;
  uint32_t mnt_id_old;
  uint32_t mnt_parent_id_old;
  uint64_t mnt_attr;
  uint64_t mnt_propagation;
  uint64_t mnt_peer_group;
  uint64_t mnt_master;
  uint64_t later[64];  // what newer kernels have
};

struct Basics {
  uint64_t peers = 0;
  uint64_t parent = 0;  // its unique id
};

std::optional<Basics> StatMountOf(uint64_t unique_id) {
  const MountIdRequest request{.mount_id = unique_id, .param = kStatmountBasic};
  StatMount status{};
  if (syscall(kStatmount, &request, &status, sizeof status, 0) != 0) return std::nullopt;
  if ((status.mask & kStatmountBasic) == 0) return std::nullopt;
  const bool is_shared = (status.mnt_propagation & MS_SHARED) != 0;
  return Basics{.peers = is_shared ? status.mnt_peer_group : 0, .parent = status.mnt_parent_id};
}

// Without reading the table of all mounts, which takes the kernel long.
std::optional<uint64_t> UniqueIdOf(const Fd& fd) {
  struct statx status{};
  constexpr int kAskNobody = AT_EMPTY_PATH | AT_STATX_DONT_SYNC;
  if (statx(fd.get(), "", kAskNobody, kStatxMountIdUnique, &status) != 0) return std::nullopt;
  if ((status.stx_mask & kStatxMountIdUnique) == 0) return std::nullopt;
  return status.stx_mnt_id;
}

uint64_t NamespaceOf(const Process* process, const char* name) {
  if (process != nullptr) return process->NamespaceInode(name).value_or(0);
  struct stat status{};
  const std::string path = std::string("/proc/self/") + name;
  return stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

}  // namespace

Propagation::Propagation(const Process* process)
    : process_(process), proc_(open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC)) {
  const Process* const container = process;
  namespaces_.mounts = NamespaceOf(container, "ns/mnt");
  namespaces_.pids = NamespaceOf(container, "ns/pid");
}

std::optional<Propagation::Groups> Propagation::GroupsOf(const Target& target) {
  const auto unique_id = UniqueIdOf(target.fd);
  const auto basics = unique_id ? StatMountOf(*unique_id) : std::nullopt;
  if (basics) {
    if (!target.is_mount_point) return Groups{basics->peers, 0};
    const auto parent = StatMountOf(basics->parent);
    if (parent) return Groups{basics->peers, parent->peers};
  }
  FileBuffer buffer;
  auto mounts = process_ == nullptr ? ReadOwnMounts(buffer) : process_->ReadMounts(buffer);
  const Mount* const mount = mounts ? FindMount(*mounts, target.mount_id) : nullptr;
  if (mount == nullptr) return std::nullopt;
  const Mount* const parent = FindMount(*mounts, mount->parent);
  return Groups{mount->peers, parent == nullptr || !target.is_mount_point ? 0 : parent->peers};
}

Outside Propagation::OutsideOf(uint64_t group) {
  if (group == 0) return Outside::kNothing;
  const auto known = known_.find(group);
  if (known != known_.end()) return known->second;
  const Outside found = FindPeersOutside(proc_, namespaces_, group);
  known_.emplace(group, found);
  return found;
}

std::optional<std::string> Propagation::WhyNot(const Target& target) {
  const auto groups = GroupsOf(target);
  if (!groups) return "it cannot be told whether its mount is shared with the outside";
  for (const uint64_t group : *groups) {
    switch (OutsideOf(group)) {
      case Outside::kNothing:
        break;
      case Outside::kSomething:
        return "its mount is shared with the outside of the container";
      case Outside::kUnknown:
        return "its mount is shared, and it cannot be told with whom";
    }
  }
  return std::nullopt;
}

}  // namespace attach
