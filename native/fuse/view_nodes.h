// SPDX-License-Identifier: Apache-2.0
// nodeids below directories that are views, and the names of those directories.
//
// Source: none.
// Units:  none.
// Errors: ENOENT for a name that is no cgroup's or whose cgroup is gone, ESTALE for a nodeid whose
//         cgroup is gone.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/cgroup/cgroup_id.h"
#include "core/engine/cgroup_index.h"
#include "core/engine/engine.h"
#include "core/engine/sheet_maker.h"
#include "core/engine/view.h"
#include "fuse/catalog_tree.h"
#include "fuse/entry.h"

namespace fuse_layer {

// A file or directory of one view.
struct ViewNode {
  core::engine::CgroupId cgroup;
  size_t node = CatalogTree::kRoot;  // in the tree that every view has
};

// What a reader of a view's file is told when `error` kept it from being read.
core::Error ReaderError(const core::engine::View& view, const core::Error& error);

class ViewNodes {
 public:
  // How long a name that is a cgroup's path is good for: another cgroup may get it at any moment.
  static constexpr double kNameSeconds = 0;
  // How long one that is a cgroup's id is good for: that of a removed cgroup is gone after this
  // time.
  static constexpr double kIdSeconds = 1;

  // `marker` is or-ed to every id, for a connection that has other nodes too.
  ViewNodes(core::engine::Engine& engine, const std::vector<bool>& has_file, uint64_t marker);

  // A nodeid is a pure function of the cgroup's id and the path below the view, so that a new
  // process knows its predecessor's: the kernel never forgets one while it is in use.
  [[nodiscard]] uint64_t IdOf(const ViewNode& node) const;
  // nullopt for what IdOf() never gives.
  [[nodiscard]] std::optional<ViewNode> Find(uint64_t id) const;

  // The view called `name`, by its top directory.
  core::Result<ViewNode> Lookup(std::string_view name, core::engine::Scratch& scratch);
  // The same for the name of a cgroup's id, "=cpu=4711".
  core::Result<ViewNode> LookupId(std::string_view name, core::engine::Scratch& scratch);
  // Of a link to the view's top directory by its cgroup's id.
  [[nodiscard]] uint64_t LinkIdOf(core::engine::CgroupId cgroup) const;
  // Whose link it is; nullopt for every other nodeid.
  [[nodiscard]] std::optional<core::engine::CgroupId> FindLink(uint64_t id) const;
  // The node called `name` in a directory of a view; nullopt when there is none.
  [[nodiscard]] std::optional<ViewNode> LookupChild(const ViewNode& directory,
                                                    std::string_view name) const;
  [[nodiscard]] bool IsDirectory(const ViewNode& node) const { return !FileOf(node); }
  // The index in the catalog; nullopt for a directory.
  [[nodiscard]] std::optional<size_t> FileOf(const ViewNode& node) const {
    return tree_.At(node.node).file;
  }
  // Every entry, "." and ".." included, once each and always in the same order.
  [[nodiscard]] std::vector<DirectoryEntry> List(const ViewNode& directory) const;
  // The same for a directory `id` whose entries are the views that are known now, as directories
  // (S_IFDIR) or links (S_IFLNK).
  [[nodiscard]] std::vector<DirectoryEntry> ListViews(uint64_t id, mode_t type) const;
  core::Result<core::engine::ViewRef> ViewOf(const ViewNode& node, core::engine::Scratch& scratch) {
    return engine_.ViewOfCgroupId(node.cgroup, scratch);
  }

 private:
  static constexpr size_t kNoNode = ~size_t{0};

  [[nodiscard]] size_t PathNumberOf(size_t node) const;

  core::engine::Engine& engine_;
  const uint64_t marker_;
  CatalogTree tree_;
  // By path number; no two paths of the catalog have the same.
  std::array<size_t, size_t{1} << core::cgroup::kPathBits> nodes_;
};

}  // namespace fuse_layer
