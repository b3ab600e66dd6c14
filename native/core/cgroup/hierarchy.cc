// SPDX-License-Identifier: Apache-2.0
#include "core/cgroup/hierarchy.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/fd.h"
#include "core/base/read_file.h"
#include "core/base/result.h"
#include "core/base/text.h"
#include "core/cgroup/controller.h"
#include "core/cgroup/open_below.h"

namespace core::cgroup {
namespace {

constexpr std::string_view kUsualRoot = "/sys/fs/cgroup";

// Whether the comma-separated `names` hold `name`, whole.
bool ListHas(std::string_view names, char separator, std::string_view name) {
  while (!names.empty()) {
    if (TakeUntil(names, separator) == name) return true;
  }
  return false;
}

bool Exists(int dir_fd, const char* path) {
  struct stat status{};
  return fstatat(dir_fd, path, &status, 0) == 0;
}

// Calls `visit(name)` for every directory or link in `dir_fd`.
template <typename Visit>
void ForEachDirectory(int dir_fd, Visit visit) {
  const int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* const dir = fd < 0 ? nullptr : fdopendir(fd);
  if (dir == nullptr) return;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): this stream is ours alone.
  while (const dirent* entry = readdir(dir)) {
    if (entry->d_name[0] != '.' && entry->d_type != DT_REG) visit(entry->d_name);
  }
  closedir(dir);
}

// enum fid_type of the kernel's exportfs.h: the handle of a kernfs node is its 64-bit id.
constexpr int kFileIdKernfs = 0xfe;

struct CgroupHandle {
  file_handle header;
  unsigned char id[sizeof(uint64_t)];
};

Result<Fd> OpenById(int root_fd, uint64_t id) {
  // open_by_handle_at(2) wants a descriptor of the file system that was opened for reading.
  const Fd mount(openat(root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!mount.valid()) return SystemError("open", "the root of cgroups");
  CgroupHandle handle{};
  handle.header.handle_bytes = sizeof id;
  handle.header.handle_type = kFileIdKernfs;
  std::memcpy(handle.id, &id, sizeof id);
  Fd dir(open_by_handle_at(mount.get(), &handle.header, O_PATH | O_CLOEXEC));
  if (!dir.valid()) return SystemError("find cgroup", std::to_string(id));
  return dir;
}

// The path of an open directory. A removed one has " (deleted)" behind it: its name is not there.
Result<std::string> ReadFdPath(int fd) {
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  std::string path(PATH_MAX, '\0');
  const ssize_t length = readlink(link.c_str(), path.data(), path.size());
  if (length < 0) return SystemError("readlink", link);
  path.resize(static_cast<size_t>(length));
  return path;
}

}  // namespace

std::string_view NameOf(Layout layout) {
  switch (layout) {
    case Layout::kV1:
      return "v1";
    case Layout::kV2:
      return "v2";
    case Layout::kHybrid:
      return "hybrid";
  }
  return "";
}

Result<Hierarchy> Hierarchy::Detect(const std::string& root) {
  auto root_fd = OpenDirectoryAt(AT_FDCWD, root.c_str());
  if (!root_fd) return root_fd.error();
  if (!CanOpenBelow(root_fd->get())) {
    return Error{.errno_value = ENOSYS, .operation = "use openat2 (Linux 5.6) in", .path = root};
  }
  // Elsewhere may be a copy of another machine's.
  const bool is_real = root == kUsualRoot;
  Hierarchy found;
  if (Exists(root_fd->get(), "cgroup.controllers")) {
    found.layout_ = Layout::kV2;
    found.DetectV2(root_fd->get(), ".", is_real);
    return found;
  }
  found.DetectV1(root_fd->get(), is_real);
  bool has_v1 = false;
  for (const Mount& mount : found.mounts_) has_v1 |= mount.version == Version::kV1;
  // systemd has mounted the v2 tree of hybrid hosts at "unified" since v233, at "systemd" in v232.
  for (const char* const name : {"unified", "systemd"}) {
    if (!Exists(root_fd->get(), (std::string(name) + "/cgroup.controllers").c_str())) continue;
    found.DetectV2(root_fd->get(), name, is_real);
    found.layout_ = has_v1 ? Layout::kHybrid : Layout::kV2;
    return found;
  }
  if (!has_v1) return Error{.errno_value = ENOENT, .operation = "find cgroups", .path = root};
  return found;
}

void Hierarchy::DetectV1(int root_fd, bool is_real) {
  uint32_t next_id = 1;
  ForEachDirectory(root_fd, [&](const char* name) {
    // A v1 hierarchy's root has tasks; the mount point of "unified" and other trees do not.
    if (!Exists(root_fd, (std::string(name) + "/tasks").c_str())) return;
    auto dir = OpenDirectoryAt(root_fd, name);
    if (!dir || (is_real && !IsCgroupFileSystem(dir->get()))) return;
    const auto shared = std::make_shared<Fd>(std::move(*dir));
    bool used = false;
    for (const Controller controller : kControllers) {
      Mount& mount = mounts_[static_cast<size_t>(controller)];
      const std::string_view wanted = NameInV1(controller);
      if (wanted.empty() || mount.version != Version::kNone || !ListHas(name, ',', wanted))
        continue;
      mount = Mount{.version = Version::kV1, .id = next_id, .root = shared};
      used = true;
    }
    if (used) ++next_id;
  });
}

void Hierarchy::DetectV2(int root_fd, const char* name, bool is_real) {
  auto dir = OpenDirectoryAt(root_fd, name);
  if (!dir || (is_real && !IsCgroupFileSystem(dir->get()))) return;
  const auto shared = std::make_shared<Fd>(std::move(*dir));
  FileBuffer buffer;
  const auto text = ReadFileAt(shared->get(), "cgroup.controllers", buffer);
  const std::string_view controllers = text ? Trim(*text) : std::string_view();
  for (const Controller controller : kControllers) {
    Mount& mount = mounts_[static_cast<size_t>(controller)];
    if (mount.version != Version::kNone) continue;
    const std::string_view wanted = NameInV2(controller);
    if (!wanted.empty() && !ListHas(controllers, ' ', wanted)) continue;
    mount = Mount{.version = Version::kV2, .id = 0, .root = shared};
  }
}

bool Hierarchy::FindsById() const {
  for (const Mount& mount : mounts_) {
    if (!mount.root) continue;
    struct stat status{};
    if (fstat(mount.root->get(), &status) != 0) return false;
    return OpenById(mount.root->get(), status.st_ino).has_value();
  }
  return false;
}

Result<std::string> Hierarchy::PathOf(Controller controller, uint64_t id) const {
  const int root_fd = RootFd(controller);
  if (root_fd < 0) {
    return Error{.errno_value = ESTALE, .operation = "find cgroup", .path = std::to_string(id)};
  }
  const auto dir = OpenById(root_fd, id);
  if (!dir) return dir.error();
  const auto root = ReadFdPath(root_fd);
  if (!root) return root.error();
  auto path = ReadFdPath(dir->get());
  if (!path) return path;
  if (!IsAtOrBelow(*path, *root) || *path == *root) {
    return Error{.errno_value = ESTALE, .operation = "find cgroup", .path = *path};
  }
  path->erase(0, *root == "/" ? 0 : root->size());
  return path;
}

CgroupPaths Hierarchy::ParsePaths(std::string_view proc_pid_cgroup) const {
  CgroupPaths paths;
  while (!proc_pid_cgroup.empty()) {
    std::string_view path = TakeLine(proc_pid_cgroup);
    const std::string_view id = TakeUntil(path, ':');
    const std::string_view names = TakeUntil(path, ':');
    if (!path.starts_with('/')) continue;
    const bool is_v2 = id == "0" && names.empty();
    for (const Controller controller : kControllers) {
      const Version version = VersionOf(controller);
      const bool matches =
          is_v2 ? version == Version::kV2
                : version == Version::kV1 && ListHas(names, ',', NameInV1(controller));
      if (matches) paths.Set(controller, path);
    }
  }
  return paths;
}

}  // namespace core::cgroup
