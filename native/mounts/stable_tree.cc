// SPDX-License-Identifier: Apache-2.0
#include "mounts/stable_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/base/fd.h"
#include "core/base/result.h"
#include "mounts/connection_mount.h"
#include "mounts/layer.h"
#include "mounts/mount_table.h"

namespace mounts {
namespace {

using core::Error;
using core::Fd;
using core::Result;
using core::Status;
using core::SystemError;
using core::Unit;

constexpr const char* kSource = "lensfs";
constexpr const char* kType = "tmpfs";
// The files have no bytes of their own.
constexpr const char* kOptions = "mode=0555,size=64k,nr_inodes=4096";
constexpr mode_t kDirectoryMode = 0555;
constexpr mode_t kFileMode = 0444;
constexpr std::string_view kProc = "proc/";
constexpr std::string_view kSys = "sys/";
constexpr std::string_view kPressure = "proc/pressure/";

int SetAttributes(int fd, const char* path, mount_attr attributes) {
  const unsigned flags = *path == '\0' ? AT_EMPTY_PATH : 0;
  return mount_setattr(fd, path, flags, &attributes, sizeof attributes);
}

Status Push(const std::string& source, Access access, const std::string& target) {
  const auto layer = MakeLayer(source, access);
  if (!layer) return layer.error();
  const auto wanted = ShownBy(*layer);
  const auto shown = ShownAt(target);
  if (wanted && shown && *wanted == *shown) return Unit{};
  return PutOnTop(*layer, target);
}

Status PushLeaf(const std::string& tree, const LayerSource& source, const std::string& leaf) {
  Status pushed = Push(source.PathOf(leaf), source.AccessTo(leaf), LeafPath(tree, leaf));
  if (!pushed && pushed.error().errno_value == ENOENT) return Unit{};
  return pushed;
}

// The tree's own file system without its layers, writable or not.
Result<Fd> OpenBare(const std::string& tree, bool writable) {
  Fd bare = CloneMount(tree);
  if (!bare.valid()) return SystemError("open", tree);
  mount_attr attributes{};
  attributes.attr_clr = MOUNT_ATTR_RDONLY;
  if (writable && SetAttributes(bare.get(), "", attributes) != 0) {
    return SystemError("make writable", tree);
  }
  return bare;
}

bool IsEmptyFile(int dir_fd, const char* name) {
  struct stat status{};
  return fstatat(dir_fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode) &&
         status.st_size == 0;
}

// Whether all that is in `dir`, whose path in the tree is `prefix`, are empty places of leaves. A
// container engine makes them that is asked for a file of the tree before there is one.
bool HasOnlyPlaces(Fd dir, const std::string& prefix, const std::vector<std::string>& leaves) {
  DIR* const stream = fdopendir(dir.get());
  if (stream == nullptr) return false;
  const int fd = dir.release();  // closedir closes it
  bool has_only_places = true;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): this stream is ours alone.
  while (const dirent* entry = readdir(stream)) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    const std::string path = prefix + std::string(name);
    const bool is_known = std::ranges::any_of(leaves, [&](const std::string& leaf) {
      return leaf == path || leaf.starts_with(path + "/");
    });
    Fd below(openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    has_only_places =
        is_known && (below.valid() ? HasOnlyPlaces(std::move(below), path + "/", leaves)
                                   : IsEmptyFile(fd, entry->d_name));
    if (!has_only_places) break;
  }
  closedir(stream);
  return has_only_places;
}

Status CheckIsFreeForTree(const std::string& tree, const std::vector<std::string>& leaves) {
  Status is_free = CheckIsFree(tree);
  if (is_free || is_free.error().errno_value != ENOTEMPTY) return is_free;
  Fd dir(open(tree.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (dir.valid() && HasOnlyPlaces(std::move(dir), "", leaves)) return Unit{};
  return is_free;
}

Status MakeTree(const std::string& tree, const std::vector<std::string>& leaves) {
  Status is_free = CheckIsFreeForTree(tree, leaves);
  if (!is_free) return is_free;
  if (mount(kSource, tree.c_str(), kType, MS_NOSUID | MS_NODEV | MS_NOEXEC, kOptions) != 0) {
    return SystemError("mount", tree);
  }
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_RDONLY;
  attributes.propagation = MS_SHARED;
  if (SetAttributes(AT_FDCWD, tree.c_str(), attributes) != 0) {
    const Error error = SystemError("share", tree);
    (void)Unmount(tree);
    return error;
  }
  return Unit{};
}

// Makes `leaf` with its directories; whether it was missing.
Result<bool> MakeLeaf(const Fd& bare, const std::string& leaf) {
  const bool is_directory = leaf.ends_with('/');
  bool is_new = false;
  for (size_t slash = leaf.find('/'); slash != std::string::npos;
       slash = leaf.find('/', slash + 1)) {
    const std::string directory = leaf.substr(0, slash);
    is_new = mkdirat(bare.get(), directory.c_str(), kDirectoryMode) == 0;
    if (!is_new && errno != EEXIST) return SystemError("make directory", directory);
  }
  if (is_directory) return is_new;
  const Fd file(openat(bare.get(), leaf.c_str(), O_CREAT | O_EXCL | O_CLOEXEC, kFileMode));
  if (!file.valid() && errno != EEXIST) return SystemError("make", leaf);
  return file.valid();
}

// Appends the leaves below `directory`, which is "" or ends in a slash. A directory without entries
// is a leaf.
Status AddLeaves(int bare, const std::string& directory, std::vector<std::string>& leaves) {
  const std::string path = directory.empty() ? "." : directory;
  const int fd = openat(bare, path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* const dir = fd < 0 ? nullptr : fdopendir(fd);
  if (dir == nullptr) return SystemError("open", path);
  std::vector<std::string> directories;
  bool is_empty = true;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): this stream is ours alone.
  while (const dirent* entry = readdir(dir)) {
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    is_empty = false;
    if (entry->d_type == DT_DIR) {
      directories.push_back(directory + name + "/");
    } else {
      leaves.push_back(directory + name);
    }
  }
  closedir(dir);
  if (is_empty && !directory.empty()) leaves.push_back(directory);
  for (const std::string& below : directories) {
    const Status listed = AddLeaves(bare, below, leaves);
    if (!listed) return listed.error();
  }
  return Unit{};
}

}  // namespace

std::string LayerSource::PathOf(std::string_view leaf) const {
  if (leaf.starts_with(kProc)) return proc + "/" + std::string(leaf.substr(kProc.size()));
  if (leaf.starts_with(kSys)) return sys + "/" + std::string(leaf.substr(kSys.size()));
  return "";
}

Access LayerSource::AccessTo(std::string_view leaf) const {
  return takes_triggers && leaf.starts_with(kPressure) ? Access::kReadWrite : Access::kReadOnly;
}

Result<std::vector<std::string>> ListLeaves(const std::string& tree) {
  const auto bare = OpenBare(tree, false);
  if (!bare) return bare.error();
  std::vector<std::string> leaves;
  const Status listed = AddLeaves(bare->get(), "", leaves);
  if (!listed) return listed.error();
  return leaves;
}

std::string LeafPath(const std::string& tree, std::string_view leaf) {
  if (leaf.ends_with('/')) leaf.remove_suffix(1);
  return tree + "/" + std::string(leaf);
}

Status StageTree(const std::string& tree,
                 const std::vector<std::string>& leaves,
                 const LayerSource& native) {
  if (!IsTree(tree)) {
    Status made = MakeTree(tree, leaves);
    if (!made) return made;
  }
  const auto bare = OpenBare(tree, true);
  if (!bare) return bare.error();
  for (const std::string& leaf : leaves) {
    const auto is_new = MakeLeaf(*bare, leaf);
    if (!is_new) return is_new.error();
    if (!*is_new) continue;
    Status pushed = PushLeaf(tree, native, leaf);
    if (!pushed) return pushed;
  }
  return Unit{};
}

Status StackLayer(const std::string& tree, const LayerSource& source) {
  const auto leaves = ListLeaves(tree);
  if (!leaves) return leaves.error();
  Status result = Unit{};
  for (const std::string& leaf : *leaves) {
    // One that fails keeps its layer; the others are better off with theirs.
    Status pushed = PushLeaf(tree, source, leaf);
    if (!pushed) result = std::move(pushed);
  }
  return result;
}

Result<Fd> LockTree(const std::string& tree) {
  Fd fd(open(tree.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return SystemError("open", tree);
  if (flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
  if (errno != EWOULDBLOCK) return SystemError("lock", tree);
  return Error{.errno_value = EBUSY, .operation = "lock", .path = tree};
}

bool IsTree(const std::string& tree) {
  const auto table = ReadMountTable();
  if (!table) return false;
  const Mount* const top = FindTop(*table, tree);
  return top != nullptr && top->type == kType && top->source == kSource;
}

Result<bool> IsOnTop(const std::string& tree, const std::string& connection) {
  const auto table = ReadMountTable();
  if (!table) return table.error();
  const Mount* const mounted = FindTop(*table, connection);
  if (mounted == nullptr) return false;
  bool is_on_top = false;
  for (const Mount& mount : *table) {
    if (!mount.path.starts_with(tree + "/")) continue;
    is_on_top = FindTop(*table, mount.path)->device == mounted->device;
    if (!is_on_top) break;
  }
  return is_on_top;
}

Result<size_t> CountLayers(const std::string& tree) {
  const auto table = ReadMountTable();
  if (!table) return table.error();
  std::unordered_map<std::string_view, size_t> heights;
  size_t highest = 0;
  for (const Mount& mount : *table) {
    if (mount.path.starts_with(tree + "/")) highest = std::max(highest, ++heights[mount.path]);
  }
  return highest;
}

Status RemoveTree(const std::string& tree) {
  while (IsTree(tree)) {
    // Containers keep their layers: an unmount passes on like a mount.
    mount_attr attributes{};
    attributes.propagation = MS_PRIVATE;
    if (mount_setattr(AT_FDCWD, tree.c_str(), AT_RECURSIVE, &attributes, sizeof attributes) != 0) {
      return SystemError("make private", tree);
    }
    Status unmounted = Unmount(tree);
    if (!unmounted) return unmounted;
  }
  return Unit{};
}

}  // namespace mounts
