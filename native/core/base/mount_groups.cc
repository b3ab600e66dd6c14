// SPDX-License-Identifier: Apache-2.0
#include "core/base/mount_groups.h"

#include <linux/ioctl.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/fd.h"
#include "core/base/result.h"

namespace core {
namespace {

constexpr const char* kWhat = "mount namespace";
// fs.mount-max, so many a namespace may have.
constexpr size_t kMountsMax = 100'000;

// Of <linux/mount.h> and <linux/nsfs.h>, newer than the headers of Debian 12.
constexpr auto kGetMountNamespaceId = _IOR(0xb7, 0x5, uint64_t);
constexpr auto kSysStatmount = 457;
constexpr auto kSysListmount = 458;
constexpr uint64_t kListRoot = ~uint64_t{0};
constexpr uint64_t kMountBasic = 2;

struct MountRequest {
  uint32_t size = sizeof(MountRequest);
  uint32_t spare = 0;
  uint64_t mount_id = 0;
  uint64_t parameter = 0;
  uint64_t namespace_id = 0;
};

struct MountStatus {
  uint32_t size, options;
  uint64_t mask;
  uint32_t device_major, device_minor;
  uint64_t magic;
  uint32_t flags, type;
  uint64_t id, parent_id;
  uint32_t old_id, old_parent_id;
  uint64_t attributes, propagation, peer_group, master, propagate_from;
  std::array<uint64_t, 51> others;
};
static_assert(sizeof(MountStatus) == 512, "the kernel's struct statmount");

}  // namespace

Result<std::vector<MountGroups>> ListMountGroups(const Fd& mount_namespace) {
  MountRequest list{.mount_id = kListRoot};
  if (ioctl(mount_namespace.get(), kGetMountNamespaceId, &list.namespace_id) != 0) {
    return SystemError("list mounts", kWhat);
  }
  std::vector<MountGroups> mounts;
  std::array<uint64_t, 512> ids{};
  for (;;) {
    const auto count = syscall(kSysListmount, &list, ids.data(), ids.size(), 0);
    if (count < 0) return SystemError("list mounts", kWhat);
    for (size_t index = 0; index < static_cast<size_t>(count); ++index) {
      const MountRequest wanted{
          .mount_id = ids[index], .parameter = kMountBasic, .namespace_id = list.namespace_id};
      MountStatus status{};
      // One that is gone is nobody's any more.
      if (syscall(kSysStatmount, &wanted, &status, sizeof status, 0) != 0) continue;
      mounts.push_back({.id = status.id,
                        .parent = status.parent_id,
                        .shared = status.peer_group,
                        .master = status.master});
    }
    if (static_cast<size_t>(count) < ids.size()) return mounts;
    if (mounts.size() >= kMountsMax) {
      return Error{.errno_value = EFBIG, .operation = "list mounts", .path = kWhat};
    }
    list.parameter = ids.back();
  }
}

}  // namespace core
