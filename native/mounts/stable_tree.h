// SPDX-License-Identifier: Apache-2.0
// The public tree: a file system of our own whose files are stacks of binds. What is stacked on a
// file later is seen by everybody who has bound it with rslave, so one mount here repairs or
// degrades all running containers at once.
//
// A container that was started above a layer would lose its files with it: only settle.h takes
// layers away.
//
// Source: mount_namespaces(7), open_tree(2), move_mount(2), mount_setattr(2).
// Units:  none.
// Errors: EBUSY for a directory that something else is mounted on; ENOTEMPTY; ENOTDIR; the errno of
//         the system call otherwise.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/fd.h"
#include "core/base/result.h"
#include "mounts/connection_mount.h"

namespace mounts {

// Where a layer's files come from: "proc/meminfo" is `proc` + "/meminfo".
struct LayerSource {
  std::string proc;
  std::string sys;
  bool takes_triggers = false;  // its pressure files may be written to

  [[nodiscard]] Access AccessTo(std::string_view leaf) const;
  // Of a leaf; "" for one that no source has.
  [[nodiscard]] std::string PathOf(std::string_view leaf) const;
};

// The paths in the tree of all its files and of the directories that are stacked as a whole, which
// end in a slash.
core::Result<std::vector<std::string>> ListLeaves(const std::string& tree);

// Where a leaf is mounted.
std::string LeafPath(const std::string& tree, std::string_view leaf);

// Makes the tree, over an empty directory or one that has but empty places of leaves, or adds what
// it lacks. `leaves` are paths in it, such as "proc/meminfo"; one that
// ends in a slash is a directory that is stacked as a whole. Each new one gets `native` as its
// first layer.
core::Status StageTree(const std::string& tree,
                       const std::vector<std::string>& leaves,
                       const LayerSource& native);

// Binds every leaf from `source` on top of what is there; a leaf that the source lacks is left as
// it is, and so is one that is on top already. Only paths in `source` are looked up: nothing is
// asked of a FUSE daemon behind the tree.
core::Status StackLayer(const std::string& tree, const LayerSource& source);

// Held by who serves the tree, until its last copy is closed; EBUSY while somebody else has it.
core::Result<core::Fd> LockTree(const std::string& tree);

// Whether `tree` is one, that this or an earlier process has made.
bool IsTree(const std::string& tree);

// Whether every file's top layer is of the file system that is mounted at `connection`.
core::Result<bool> IsOnTop(const std::string& tree, const std::string& connection);

// Of the highest stack.
core::Result<size_t> CountLayers(const std::string& tree);

// Takes the tree away with all its layers, where it is one. Containers keep theirs, and what is on
// top of them.
core::Status RemoveTree(const std::string& tree);

}  // namespace mounts
