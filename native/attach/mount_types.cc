// SPDX-License-Identifier: Apache-2.0
#include "attach/mount_types.h"

#include <linux/magic.h>
#include <sys/statfs.h>

#include <string>

#include "attach/mount_table.h"
#include "attach/process.h"
#include "attach/target.h"
#include "core/base/read_file.h"

namespace attach {
namespace {

using core::FileBuffer;

// Null when it is another one. What is mounted over a single file may be a file system whose daemon
// does not answer: it is not asked.
const char* KernelTypeOf(const Target& target) {
  struct statfs status{};
  if (target.is_mount_point || fstatfs(target.fd.get(), &status) != 0) return nullptr;
  if (status.f_type == PROC_SUPER_MAGIC) return "proc";
  return status.f_type == SYSFS_MAGIC ? "sysfs" : nullptr;
}

}  // namespace

const std::string& MountTypes::Of(const Target& target) {
  if (const auto known = types_.find(target.mount_id); known != types_.end()) return known->second;
  if (const char* const type = KernelTypeOf(target)) {
    Learn(target.mount_id, type);
  } else {
    ReadAll();
  }
  return types_.try_emplace(target.mount_id, "an unknown mount").first->second;
}

void MountTypes::ReadAll() {
  FileBuffer buffer;
  const auto mounts = process_ == nullptr ? ReadOwnMounts(buffer) : process_->ReadMounts(buffer);
  if (!mounts) return;
  for (const Mount& mount : *mounts) Learn(mount.id, mount.type);
}

}  // namespace attach
