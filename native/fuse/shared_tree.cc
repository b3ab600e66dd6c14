// SPDX-License-Identifier: Apache-2.0
#include "fuse/shared_tree.h"

#include <dirent.h>
#include <fcntl.h>
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
#include "core/cgroup/cgroup_id.h"
#include "core/engine/engine.h"
#include "core/engine/quarantine.h"
#include "core/engine/snapshot_slots.h"
#include "core/engine/sys_tree.h"
#include "core/engine/view.h"
#include "fuse/entry.h"
#include "fuse/handle_table.h"
#include "fuse/node_table.h"
#include "fuse/triggers.h"
#include "fuse/view_nodes.h"

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
// The kernel's for /proc/pressure: everybody may write triggers.
constexpr mode_t kTriggerMode = 0666;

// Ids below "views" have the highest bit, which NodeIdOf() leaves free.
constexpr uint64_t kViewNodeMarker = core::cgroup::kSharedMarker;
// Who may go by a view's name may see every container.
constexpr mode_t kViewsMode = S_IFDIR | 0700;

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

SharedTree::SharedTree(core::engine::Engine& engine, size_t handles_max, Triggers& triggers)
    : engine_(engine),
      nodes_(AvailableFiles(engine)),
      view_nodes_(engine, AvailableFiles(engine), kViewNodeMarker),
      handles_(handles_max),
      triggers_(triggers) {
  (void)clock_gettime(CLOCK_REALTIME, &mounted_at_);
}

std::vector<uint64_t> SharedTree::FileIds() const {
  std::vector<uint64_t> ids;
  for (size_t file = 0; file < core::catalog::Files().size(); ++file) {
    const std::string path(core::catalog::Files()[file].path);
    if (engine_.IsAvailable(file)) {
      ids.push_back(NodeIdOf(Node{.kind = NodeKind::kFile, .file = file, .path = path}));
    }
  }
  return ids;
}

Result<ViewRef> SharedTree::ViewOf(uint64_t id, const Context& context) {
  const auto node = view_nodes_.Find(id);
  if (node) return view_nodes_.ViewOf(*node, context.scratch);
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

Attributes SharedTree::OwnAttributes(uint64_t id, mode_t mode) const {
  Attributes attributes;
  attributes.stat.st_ino = id;
  attributes.stat.st_mode = mode;
  attributes.stat.st_nlink = S_ISDIR(mode) ? 2 : 1;
  attributes.stat.st_atim = attributes.stat.st_mtim = attributes.stat.st_ctim = mounted_at_;
  return attributes;
}

Attributes SharedTree::FileAttributes(uint64_t id, size_t file) const {
  const mode_t mode =
      engine_.TakesTriggers(file) ? kTriggerMode : core::catalog::Files()[file].mode;
  Attributes attributes = OwnAttributes(id, S_IFREG | mode);
  const size_t size = NominalSize(engine_, file);
  attributes.stat.st_size = static_cast<off_t>(size);
  // A size of at most one block tells coreutils that it is nominal, as in sysfs.
  attributes.stat.st_blksize = static_cast<blksize_t>(std::bit_ceil(size));
  return attributes;
}

Result<Attributes> SharedTree::AttributesOf(const Node& node) const {
  const uint64_t id = NodeIdOf(node);
  switch (node.kind) {
    case NodeKind::kDirectory:
      return OwnAttributes(id, S_IFDIR | 0555);
    case NodeKind::kViews:
      return OwnAttributes(id, kViewsMode);
    case NodeKind::kFile:
      return FileAttributes(id, node.file);
    case NodeKind::kSys: {
      const auto host = engine_.Sys().Stat(node.path);
      if (!host) return host.error();
      Attributes attributes = OwnAttributes(id, host->st_mode & ~kWriteBits);
      attributes.stat.st_size = host->st_size;
      attributes.stat.st_nlink = host->st_nlink;
      return attributes;
    }
  }
  return NotFound(node.path);
}

Attributes SharedTree::AttributesOf(const ViewNode& node) const {
  const uint64_t id = view_nodes_.IdOf(node);
  const auto file = view_nodes_.FileOf(node);
  return file ? FileAttributes(id, *file) : OwnAttributes(id, S_IFDIR | 0555);
}

Entry SharedTree::EntryOf(const ViewNode& node, double name_valid_seconds) const {
  return Entry{.id = view_nodes_.IdOf(node),
               .attributes = AttributesOf(node),
               .name_valid_seconds = name_valid_seconds};
}

Result<Entry> SharedTree::Lookup(uint64_t parent, std::string_view name, Context& context) {
  if (const auto view_node = view_nodes_.Find(parent)) {
    const auto child = view_nodes_.LookupChild(*view_node, name);
    if (!child) return NotFound(name);
    return EntryOf(*child, kForeverSeconds);
  }
  const auto directory = FindNode(parent);
  if (!directory) return directory.error();
  if (directory->kind == NodeKind::kViews) {
    const auto view = view_nodes_.Lookup(name, context.scratch);
    if (!view) return view.error();
    return EntryOf(*view, ViewNodes::kNameSeconds);
  }
  const auto child = nodes_.FindChild(*directory, name);
  if (!child) {
    if (directory->kind == NodeKind::kSys) return LookupSys(*directory, name, context);
    return NotFound(name);
  }
  const auto attributes = AttributesOf(*child);
  if (!attributes) return attributes.error();
  return Entry{.id = NodeIdOf(*child), .attributes = *attributes};
}

Result<Entry> SharedTree::LookupSys(const Node& parent, std::string_view name, Context& context) {
  // The name leads elsewhere for another caller, so the kernel must ask each time.
  Node child{.kind = NodeKind::kSys, .file = 0, .path = parent.path + "/" + std::string(name)};
  if (parent.path.empty()) child.path = name;
  const bool depends_on_caller =
      (parent.path.empty() && SysTree::IsPerCpu(name)) || SysTree::IsPolicy(child.path);
  if (depends_on_caller) {
    const auto view = engine_.ViewOfPid(context.pid, context.scratch);
    const auto cpus = engine_.VisibleCpusOf(view, context.scratch);
    if (!cpus) return cpus.error();
    auto path = SysTree::ChildPath(parent.path, name, *cpus);
    if (!path || !engine_.Sys().IsVisible(*path, *cpus)) return NotFound(name);
    child.path = std::move(*path);
  }
  const auto attributes = AttributesOf(child);
  if (!attributes) return attributes.error();
  return Entry{.id = nodes_.Remember(child),
               .attributes = *attributes,
               .name_valid_seconds = depends_on_caller ? 0 : kForeverSeconds};
}

Result<Attributes> SharedTree::GetAttributes(uint64_t id) {
  if (const auto view_node = view_nodes_.Find(id)) return AttributesOf(*view_node);
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

std::optional<size_t> SharedTree::FindTriggerFile(uint64_t id) {
  std::optional<size_t> file;
  if (const auto view_node = view_nodes_.Find(id)) {
    file = view_nodes_.FileOf(*view_node);
  } else if (const auto node = FindNode(id); node && node->kind == NodeKind::kFile) {
    file = node->file;
  }
  return file && engine_.TakesTriggers(*file) ? file : std::nullopt;
}

core::Status SharedTree::Write(uint64_t id,
                               uint64_t handle,
                               std::string_view text,
                               Context& context) {
  const auto file = FindTriggerFile(id);
  if (!file) return Error{.errno_value = EROFS, .operation = "write", .path = ""};
  const auto view = ViewOf(id, context);
  if (!view) return view.error();
  return triggers_.Arm(handle, *file, **view, text);
}

unsigned SharedTree::Poll(uint64_t id, uint64_t handle, std::optional<uint64_t> poll_handle) {
  if (!FindTriggerFile(id)) return Triggers::kReady;
  return triggers_.Poll(handle, poll_handle);
}

void SharedTree::Close(uint64_t handle) {
  handles_.Close(handle);
  triggers_.Close(handle);
}

Result<uint64_t> SharedTree::Open(uint64_t id, int flags) {
  if ((flags & O_ACCMODE) != O_RDONLY && !FindTriggerFile(id)) {
    return Error{.errno_value = EROFS, .operation = "open", .path = ""};
  }
  if (view_nodes_.Find(id)) return handles_.Open();
  const auto node = FindNode(id);
  if (!node) return node.error();
  return handles_.Open();
}

Result<SnapshotRef> SharedTree::Read(uint64_t id, uint64_t handle, off_t offset, Context& context) {
  if (offset != 0) {
    // Nothing is shown, so it does not matter to whom: most reads to the end come by here once.
    if (auto ended = handles_.FindEnded(handle, static_cast<uint64_t>(offset))) return ended;
    const ViewRef earlier = engine_.EarlierViewOfPid(context.pid);
    if (earlier != nullptr) {
      if (auto begun = handles_.Find(handle, earlier->serial)) return begun;
    }
  }
  const auto view = ViewOf(id, context);
  const uint64_t serial = view ? (*view)->serial : 0;
  if (offset != 0) {
    if (auto begun = handles_.Find(handle, serial)) return begun;
  }
  auto snapshot = ReadAnew(id, view, context);
  if (snapshot) handles_.Store(handle, serial, *snapshot);
  return snapshot;
}

Result<SnapshotRef> SharedTree::ReadAnew(uint64_t id,
                                         const Result<ViewRef>& view,
                                         Context& context) {
  if (const auto view_node = view_nodes_.Find(id)) {
    const auto file = view_nodes_.FileOf(*view_node);
    if (!file) return Error{.errno_value = EISDIR, .operation = "read", .path = ""};
    if (core::engine::IsInQuarantine(view)) {
      return engine_.Read(*file, view, context.pid, context.scratch);
    }
    if (!view) return view.error();
    auto snapshot = engine_.ReadView(*file, *view, context.pid, context.scratch);
    return snapshot ? snapshot : ReaderError(**view, snapshot.error());
  }
  const auto node = FindNode(id);
  if (!node) return node.error();
  if (node->kind == NodeKind::kSys) return engine_.ReadSys(node->path, view, context.scratch);
  return engine_.Read(node->file, view, context.pid, context.scratch);
}

Result<std::vector<DirectoryEntry>> SharedTree::List(uint64_t id, Context& context) {
  if (const auto view_node = view_nodes_.Find(id)) return view_nodes_.List(*view_node);
  const auto node = FindNode(id);
  if (!node) return node.error();
  if (node->kind == NodeKind::kViews) return view_nodes_.ListViews(id, S_IFDIR);
  std::vector<DirectoryEntry> entries = BeginListing(id);
  for (const Node& child : nodes_.Children(*node)) {
    const mode_t type = child.kind == NodeKind::kFile ? S_IFREG : S_IFDIR;
    entries.push_back(MakeDirectoryEntry(std::string(NameOf(child)), NodeIdOf(child), type));
  }
  if (node->kind != NodeKind::kSys) return entries;
  const auto view = engine_.ViewOfPid(context.pid, context.scratch);
  const auto cpus = engine_.VisibleCpusOf(view, context.scratch);
  if (!cpus) return cpus.error();
  if (!engine_.Sys().IsVisible(node->path, *cpus)) return NotFound(node->path);
  const auto host = engine_.Sys().List(node->path, *cpus);
  if (!host) return host.error();
  for (const auto& entry : *host) {
    if (nodes_.FindChild(*node, entry.name)) continue;  // the catalog's file stands above it
    const Node child{.kind = NodeKind::kSys, .file = 0, .path = entry.path};
    const auto type = static_cast<mode_t>(DTTOIF(entry.type));
    entries.push_back(MakeDirectoryEntry(entry.name, NodeIdOf(child), type));
  }
  return entries;
}

}  // namespace fuse_layer
