// SPDX-License-Identifier: Apache-2.0
#include "fuse/shared_tree.h"

#include <dirent.h>
#include <sys/stat.h>
#include <time.h>

#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/catalog/catalog.h"
#include "core/engine/engine.h"
#include "core/engine/sys_tree.h"
#include "core/engine/view.h"
#include "fuse/handle_table.h"
#include "fuse/node_table.h"

namespace fuse_layer {
namespace {

using core::Error;
using core::Result;
using core::engine::SnapshotRef;
using core::engine::SysTree;
using core::engine::ViewRef;

// What sysfs says of all its files, and the least that we say.
constexpr size_t kPageSize = 4096;
// How much longer than the host's a container's text may be.
constexpr size_t kSizeRoom = 1024;
constexpr mode_t kWriteBits = 0222;

Error NotFound(std::string_view path) {
  return Error{.errno_value = ENOENT, .operation = "lookup", .path = std::string(path)};
}

// A size that no text of `file` exceeds. Unlike /proc, which says 0, because the kernel gives those
// who call sendfile, io_uring or libaio nothing behind the size, and others allocate by it.
size_t NominalSize(const core::engine::Engine& engine, size_t file) {
  const size_t size = engine.HostTextSize(file) + kSizeRoom;
  if (size <= kPageSize) return kPageSize;
  // tail(1) looks for the end in two blocks of this size before the nominal one.
  constexpr size_t kBlock = 2 * kPageSize;
  return (size + kBlock - 1) / kBlock * kBlock;
}

std::vector<bool> AvailableFiles(const core::engine::Engine& engine) {
  std::vector<bool> available(core::catalog::Files().size());
  for (size_t file = 0; file < available.size(); ++file) available[file] = engine.IsAvailable(file);
  return available;
}

}  // namespace

SharedTree::SharedTree(core::engine::Engine& engine, size_t handles_max)
    : engine_(engine), nodes_(AvailableFiles(engine)), handles_(handles_max) {
  (void)clock_gettime(CLOCK_REALTIME, &mounted_at_);
}

Result<ViewRef> SharedTree::ViewOf(const Context& context) {
  return engine_.ViewOfPid(context.pid, context.scratch);
}

Result<Node> SharedTree::FindNode(uint64_t id) {
  auto node = nodes_.Find(id);
  if (!node && RecoverSysNode(id)) node = nodes_.Find(id);
  if (!node) return Error{.errno_value = ESTALE, .operation = "find node", .path = ""};
  return *node;
}

// A nodeid that an earlier process gave away: every id is a function of its path, so it is found by
// going through the host's tree.
bool SharedTree::RecoverSysNode(uint64_t id) {
  const auto all = engine_.OnlineCpus();
  std::vector<std::string> pending = {""};
  while (all && !pending.empty()) {
    const std::string path = std::move(pending.back());
    pending.pop_back();
    const auto entries = engine_.Sys().List(path, *all);
    if (!entries) continue;
    for (const auto& entry : *entries) {
      const Node node{.kind = NodeKind::kSys, .file = 0, .path = entry.path};
      if (NodeIdOf(node) == id) {
        nodes_.Remember(node);
        return true;
      }
      if (entry.type == DT_DIR) pending.push_back(entry.path);
    }
  }
  return false;
}

Result<struct stat> SharedTree::AttributesOf(const Node& node) const {
  struct stat attributes{};
  attributes.st_ino = NodeIdOf(node);
  attributes.st_atim = attributes.st_mtim = attributes.st_ctim = mounted_at_;
  attributes.st_nlink = 1;
  switch (node.kind) {
    case NodeKind::kDirectory:
      attributes.st_mode = S_IFDIR | 0555;
      attributes.st_nlink = 2;
      return attributes;
    case NodeKind::kFile:
      attributes.st_mode = S_IFREG | core::catalog::Files()[node.file].mode;
      attributes.st_size = static_cast<off_t>(NominalSize(engine_, node.file));
      // A size of at most one block tells coreutils that it is nominal, as in sysfs.
      attributes.st_blksize =
          static_cast<blksize_t>(std::bit_ceil(static_cast<size_t>(attributes.st_size)));
      return attributes;
    case NodeKind::kSys: {
      const auto host = engine_.Sys().Stat(node.path);
      if (!host) return host.error();
      attributes.st_mode = host->st_mode & ~kWriteBits;
      attributes.st_size = host->st_size;
      attributes.st_nlink = host->st_nlink;
      return attributes;
    }
  }
  return NotFound(node.path);
}

Result<SharedTree::Entry> SharedTree::Lookup(uint64_t parent,
                                             std::string_view name,
                                             Context& context) {
  const auto directory = FindNode(parent);
  if (!directory) return directory.error();
  const auto child = nodes_.FindChild(*directory, name);
  if (!child) {
    if (directory->kind == NodeKind::kSys) return LookupSys(*directory, name, context);
    return NotFound(name);
  }
  const auto attributes = AttributesOf(*child);
  if (!attributes) return attributes.error();
  return Entry{.id = NodeIdOf(*child), .attributes = *attributes};
}

Result<SharedTree::Entry> SharedTree::LookupSys(const Node& parent,
                                                std::string_view name,
                                                Context& context) {
  const bool depends_on_caller = parent.path.empty() && SysTree::IsPerCpu(name);
  Node child{.kind = NodeKind::kSys, .file = 0, .path = parent.path + "/" + std::string(name)};
  if (parent.path.empty()) child.path = name;
  if (depends_on_caller) {
    const auto cpus = engine_.VisibleCpusOf(ViewOf(context), context.scratch);
    if (!cpus) return cpus.error();
    auto path = SysTree::ChildPath(parent.path, name, *cpus);
    if (!path) return NotFound(name);
    child.path = std::move(*path);
  }
  const auto attributes = AttributesOf(child);
  if (!attributes) return attributes.error();
  return Entry{.id = nodes_.Remember(child),
               .attributes = *attributes,
               .depends_on_caller = depends_on_caller};
}

Result<struct stat> SharedTree::GetAttributes(uint64_t id) {
  const auto node = FindNode(id);
  if (!node) return node.error();
  return AttributesOf(*node);
}

Result<std::string> SharedTree::ReadLink(uint64_t id) {
  const auto node = FindNode(id);
  if (!node) return node.error();
  if (node->kind != NodeKind::kSys) {
    return Error{.errno_value = EINVAL, .operation = "readlink", .path = node->path};
  }
  return engine_.Sys().ReadLink(node->path);
}

Result<uint64_t> SharedTree::Open(uint64_t id) {
  const auto node = FindNode(id);
  if (!node) return node.error();
  if (node->kind == NodeKind::kDirectory) {
    return Error{.errno_value = EISDIR, .operation = "open", .path = node->path};
  }
  return handles_.Open();
}

Result<SnapshotRef> SharedTree::Read(uint64_t id, uint64_t handle, off_t offset, Context& context) {
  const auto view = ViewOf(context);
  const uint64_t serial = view ? (*view)->serial : 0;
  if (offset != 0) {
    if (auto begun = handles_.Find(handle, serial)) return begun;
  }
  const auto node = FindNode(id);
  if (!node) return node.error();
  auto snapshot = node->kind == NodeKind::kFile
                      ? engine_.Read(node->file, view, context.pid, context.scratch)
                      : engine_.ReadSys(node->path, view, context.scratch);
  if (snapshot) handles_.Store(handle, serial, *snapshot);
  return snapshot;
}

Result<std::vector<SharedTree::DirectoryEntry>> SharedTree::List(uint64_t id, Context& context) {
  const auto node = FindNode(id);
  if (!node) return node.error();
  std::vector<DirectoryEntry> entries;
  const auto add = [&entries](std::string name, uint64_t entry_id, mode_t type) {
    DirectoryEntry entry{.name = std::move(name), .attributes = {}};
    entry.attributes.st_ino = entry_id;
    entry.attributes.st_mode = type;
    entries.push_back(std::move(entry));
  };
  add(".", id, S_IFDIR);
  add("..", FUSE_ROOT_ID, S_IFDIR);
  for (const Node& child : nodes_.Children(*node)) {
    const bool is_sys_cpu = child.kind == NodeKind::kSys;
    const std::string_view path = is_sys_cpu ? kSysCpuDirectory : std::string_view(child.path);
    add(std::string(BaseNameOf(path)),
        NodeIdOf(child),
        child.kind == NodeKind::kFile ? S_IFREG : S_IFDIR);
  }
  if (node->kind != NodeKind::kSys) return entries;
  const auto cpus = engine_.VisibleCpusOf(ViewOf(context), context.scratch);
  if (!cpus) return cpus.error();
  if (!SysTree::IsVisible(node->path, *cpus)) return NotFound(node->path);
  const auto host = engine_.Sys().List(node->path, *cpus);
  if (!host) return host.error();
  for (const auto& entry : *host) {
    if (nodes_.FindChild(*node, entry.name)) continue;  // the catalog's file stands above it
    const Node child{.kind = NodeKind::kSys, .file = 0, .path = entry.path};
    add(entry.name, NodeIdOf(child), static_cast<mode_t>(DTTOIF(entry.type)));
  }
  return entries;
}

}  // namespace fuse_layer
