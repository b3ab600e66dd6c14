// SPDX-License-Identifier: Apache-2.0
#include "mounts/mount_groups.h"

#include <fcntl.h>

#include <cerrno>
#include <cstddef>
#include <string>
#include <vector>

#include "core/base/fd.h"
#include "core/base/mount_groups.h"
#include "core/base/read_file.h"
#include "core/base/result.h"
#include "mounts/mount_table.h"

namespace mounts {
namespace {

using core::Error;
using core::MountGroups;
using core::Result;

constexpr size_t kTableBytesMax = size_t{2} * 1024 * 1024;

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
  const core::Fd fd(open((process + "/ns/mnt").c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.valid()) {
    auto mounts = core::ListMountGroups(fd);
    if (mounts || mounts.error().errno_value == EFBIG) return mounts;
  }
  return ReadByTable(process);
}

}  // namespace mounts
