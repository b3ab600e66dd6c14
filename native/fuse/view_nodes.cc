// SPDX-License-Identifier: Apache-2.0
#include "fuse/view_nodes.h"

#include <sys/stat.h>
#include <sys/types.h>

#include <cassert>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/base/view_name.h"
#include "core/cgroup/cgroup_id.h"
#include "core/engine/cgroup_index.h"
#include "core/engine/engine.h"
#include "core/engine/quarantine.h"
#include "core/engine/sheet_maker.h"
#include "core/engine/view.h"
#include "fuse/catalog_tree.h"
#include "fuse/entry.h"

namespace fuse_layer {

using core::Error;
using core::Result;
using core::cgroup::CgroupId;
using core::engine::IsInQuarantine;

namespace {

// Stands for a link in the hash that makes nodeids; no file of a view is called so.
constexpr std::string_view kLinkPath = "<link>";

Error NotFound(std::string_view name) {
  return Error{.errno_value = ENOENT, .operation = "find view", .path = std::string(name)};
}

}  // namespace

Error ReaderError(const core::engine::View& view, const Error& error) {
  Error told = error;
  told.errno_value = view.cgroup.IsAlive() ? EIO : ESTALE;
  return told;
}

ViewNodes::ViewNodes(core::engine::Engine& engine,
                     const std::vector<bool>& has_file,
                     uint64_t marker)
    : engine_(engine), marker_(marker), tree_(has_file) {
  nodes_.fill(kNoNode);
  for (size_t node = 0; node < tree_.Size(); ++node) {
    size_t& place = nodes_[PathNumberOf(node)];
    assert(place == kNoNode);
    place = node;
  }
  assert(nodes_[HashOf(kLinkPath) % nodes_.size()] == kNoNode);
}

size_t ViewNodes::PathNumberOf(size_t node) const {
  return HashOf(tree_.At(node).path) % nodes_.size();
}

uint64_t ViewNodes::IdOf(const ViewNode& node) const {
  return marker_ | core::cgroup::InodeNumberOf(node.cgroup, PathNumberOf(node.node));
}

std::optional<ViewNode> ViewNodes::Find(uint64_t id) const {
  if ((id & marker_) != marker_) return std::nullopt;
  id &= ~marker_;
  const size_t node = nodes_[id % nodes_.size()];
  const auto cgroup = core::cgroup::IdOfInodeNumber(id);
  if (node == kNoNode || !cgroup) return std::nullopt;
  return ViewNode{.cgroup = *cgroup, .node = node};
}

uint64_t ViewNodes::LinkIdOf(CgroupId cgroup) const {
  return marker_ | core::cgroup::InodeNumberOf(cgroup, HashOf(kLinkPath) % nodes_.size());
}

std::optional<CgroupId> ViewNodes::FindLink(uint64_t id) const {
  const auto cgroup = core::cgroup::IdOfInodeNumber(id & ~marker_);
  return cgroup && LinkIdOf(*cgroup) == id ? cgroup : std::nullopt;
}

Result<ViewNode> ViewNodes::Lookup(std::string_view name, core::engine::Scratch& scratch) {
  const auto path = core::CgroupPathOf(name);
  if (!path) return NotFound(name);
  const auto view = engine_.ViewOfCgroup(*path, scratch);
  // Its files are there all the same.
  if (IsInQuarantine(view)) {
    const auto left_alone = engine_.FindCgroupId(*path);
    if (left_alone) return ViewNode{.cgroup = *left_alone};
  }
  if (!view) return NotFound(name);
  const auto cgroup = core::engine::IdOf(**view);
  if (!cgroup || !(*view)->cgroup.IsAlive()) return NotFound(name);
  return ViewNode{.cgroup = *cgroup};
}

Result<ViewNode> ViewNodes::LookupId(std::string_view name, core::engine::Scratch& scratch) {
  const auto cgroup = core::cgroup::IdOfName(name);
  if (!cgroup) return NotFound(name);
  const auto view = engine_.CurrentViewOfCgroupId(*cgroup, scratch);
  if (IsInQuarantine(view)) return ViewNode{.cgroup = *cgroup};
  if (!view || !(*view)->cgroup.IsAlive()) return NotFound(name);
  return ViewNode{.cgroup = *cgroup};
}

std::optional<ViewNode> ViewNodes::LookupChild(const ViewNode& directory,
                                               std::string_view name) const {
  const auto child = tree_.FindChild(directory.node, name);
  if (!child) return std::nullopt;
  return ViewNode{.cgroup = directory.cgroup, .node = *child};
}

std::vector<DirectoryEntry> ViewNodes::List(const ViewNode& directory) const {
  std::vector<DirectoryEntry> entries = BeginListing(IdOf(directory));
  for (const size_t node : tree_.Children(directory.node)) {
    const ViewNode child{.cgroup = directory.cgroup, .node = node};
    entries.push_back(MakeDirectoryEntry(std::string(BaseNameOf(tree_.At(node).path)),
                                         IdOf(child),
                                         IsDirectory(child) ? S_IFDIR : S_IFREG));
  }
  return entries;
}

std::vector<DirectoryEntry> ViewNodes::ListViews(uint64_t id, mode_t type) const {
  std::map<std::string, uint64_t> views;  // by name: a cgroup may have views of several processes
  for (const auto& view : engine_.Views()) {
    const auto cgroup = core::engine::IdOf(*view);
    if (!cgroup || !view->cgroup.IsAlive()) continue;
    views.emplace(core::ViewNameOf(view->cgroup.Primary()->Path()),
                  type == S_IFLNK ? LinkIdOf(*cgroup) : IdOf(ViewNode{.cgroup = *cgroup}));
  }
  std::vector<DirectoryEntry> entries = BeginListing(id);
  for (const auto& [name, view_id] : views) {
    entries.push_back(MakeDirectoryEntry(name, view_id, type));
  }
  return entries;
}

}  // namespace fuse_layer
