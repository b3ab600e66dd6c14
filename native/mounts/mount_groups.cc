// SPDX-License-Identifier: Apache-2.0
#include "mounts/mount_groups.h"

#include <fcntl.h>
#include <linux/ioctl.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/fd.h"
#include "core/base/read_file.h"
#include "core/base/result.h"
#include "mounts/mount_table.h"

namespace mounts {
namespace {

using core::Error;
using core::Result;
using core::SystemError;

// fs.mount-max, so many a namespace may have.
constexpr size_t kMountsMax = 100'000;
constexpr size_t kTableBytesMax = size_t{2} * 1024 * 1024;

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

Result<std::vector<MountGroups>> ReadByCalls(const std::string& process) {
  const core::Fd fd(open((process + "/ns/mnt").c_str(), O_RDONLY | O_CLOEXEC));
  MountRequest list{.mount_id = kListRoot};
  if (!fd.valid() || ioctl(fd.get(), kGetMountNamespaceId, &list.namespace_id) != 0) {
    return SystemError("open", process + "/ns/mnt");
  }
  std::vector<MountGroups> mounts;
  std::array<uint64_t, 512> ids{};
  for (;;) {
    const auto count = syscall(kSysListmount, &list, ids.data(), ids.size(), 0);
    if (count < 0) return SystemError("list mounts", process);
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
      return Error{.errno_value = EFBIG, .operation = "list mounts", .path = process};
    }
    list.parameter = ids.back();
  }
}

Result<std::vector<MountGroups>> ReadByTable(const std::string& process) {
  const auto fd = core::OpenAt(AT_FDCWD, (process + "/mountinfo").c_str());
  if (!fd) return fd.error();
  core::FileBuffer buffer;
  const auto text = core::ReadBeginning(fd->get(), buffer, process, kTableBytesMax);
  if (!text) return text.error();
  // No line is as long as this.
  if (text->size() + size_t{16} * 1024 > kTableBytesMax) {
    return Error{.errno_value = EFBIG, .operation = "read mounts", .path = process};
  }
  std::vector<MountGroups> mounts;
  for (const Mount& mount : ParseMountTable(*text)) {
    mounts.push_back(
        {.id = mount.id, .parent = mount.parent, .shared = mount.shared, .master = mount.master});
  }
  return mounts;
}

}  // namespace

Result<std::vector<MountGroups>> ReadMountGroups(const std::string& process) {
  auto mounts = ReadByCalls(process);
  if (mounts || mounts.error().errno_value == EFBIG) return mounts;
  return ReadByTable(process);
}

}  // namespace mounts
