// SPDX-License-Identifier: Apache-2.0
#include "fuse/view_nodes.h"

#include <sys/stat.h>

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
#include "core/cgroup/controller.h"
#include "core/engine/cgroup_index.h"
#include "core/engine/engine.h"
#include "core/engine/sheet_maker.h"
#include "core/engine/view.h"
#include "fuse/catalog_tree.h"
#include "fuse/entry.h"

namespace fuse_layer {

using core::Error;
using core::Result;
using core::cgroup::Controller;
using core::engine::CgroupId;

static_assert(core::cgroup::kControllerCount <= 8, "a controller has three bits in a nodeid");

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
}

size_t ViewNodes::PathNumberOf(size_t node) const {
  return HashOf(tree_.At(node).path) % nodes_.size();
}

uint64_t ViewNodes::IdOf(const ViewNode& node) const {
  const uint64_t controller = static_cast<uint64_t>(node.cgroup.controller) << kPathBits;
  return marker_ | node.cgroup.inode << (kPathBits + kControllerBits) | controller |
         PathNumberOf(node.node);
}

std::optional<ViewNode> ViewNodes::Find(uint64_t id) const {
  if ((id & marker_) != marker_) return std::nullopt;
  id &= ~marker_;
  const size_t node = nodes_[id % nodes_.size()];
  const uint64_t inode = id >> (kPathBits + kControllerBits);
  if (node == kNoNode || inode == 0) return std::nullopt;
  const uint64_t controller = id >> kPathBits & ((1U << kControllerBits) - 1);
  return ViewNode{
      .cgroup = CgroupId{.controller = static_cast<Controller>(controller), .inode = inode},
      .node = node};
}

Result<ViewNode> ViewNodes::Lookup(std::string_view name, core::engine::Scratch& scratch) {
  const Error not_found{.errno_value = ENOENT, .operation = "find view", .path = std::string(name)};
  const auto path = core::CgroupPathOf(name);
  if (!path) return not_found;
  const auto view = engine_.ViewOfCgroup(*path, scratch);
  if (!view) return not_found;
  const auto cgroup = core::engine::IdOf(**view);
  if (!cgroup || !(*view)->cgroup.IsAlive()) return not_found;
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

std::vector<DirectoryEntry> ViewNodes::ListViews(uint64_t id) const {
  std::map<std::string, uint64_t> views;  // by name: a cgroup may have views of several processes
  for (const auto& view : engine_.Views()) {
    const auto cgroup = core::engine::IdOf(*view);
    if (!cgroup || !view->cgroup.IsAlive()) continue;
    views.emplace(core::ViewNameOf(view->cgroup.Primary()->Path()),
                  IdOf(ViewNode{.cgroup = *cgroup}));
  }
  std::vector<DirectoryEntry> entries = BeginListing(id);
  for (const auto& [name, view_id] : views) {
    entries.push_back(MakeDirectoryEntry(name, view_id, S_IFDIR));
  }
  return entries;
}

}  // namespace fuse_layer
