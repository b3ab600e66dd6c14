// SPDX-License-Identifier: Apache-2.0
// The tree of views whose files live in the kernel's page cache: a read of bytes that are young
// enough asks nobody.
//
// A file's size never changes while its inode lives, and its mtime changes if and only if its bytes
// do. The kernel asks for the attributes when they are older than `freshness`; when the mtime is a
// new one, it throws its page away and reads the file again.
//
// A view's directory is called by its cgroup's id, "=cpu=4711", so that a container that is made
// anew under the same name never gets its predecessor's files. Cgroups' names are links to it,
// looked up each time.
//
// Source: libfuse's low-level interface; Documentation/filesystems/fuse-io.rst.
// Units:  bytes.
// Errors: ENOENT for a name that is no cgroup's, ESTALE for a removed cgroup of which no bytes are
//         kept, EIO when a view cannot be read: never another's bytes, nor the host's.
#pragma once

#include <time.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/fd.h"
#include "core/base/result.h"
#include "core/cgroup/cgroup_id.h"
#include "core/engine/engine.h"
#include "core/engine/sheet_maker.h"
#include "core/engine/view.h"
#include "fuse/connection.h"
#include "fuse/entry.h"
#include "fuse/journal.h"
#include "fuse/view_nodes.h"

namespace fuse_layer {

// The operations as functions of nodes. Safe from any thread.
class PinnedTree {
 public:
  // A file of the root directory that holds nothing and is in no listing: rings need a regular file
  // that the kernel knows (see Ring::Options::file_ids), and no view lasts.
  static constexpr std::string_view kWakeFile = ".wake";
  static constexpr uint64_t kWakeId = 2;

  // `engine` must outlive the tree.
  explicit PinnedTree(core::engine::Engine& engine);

  core::Result<Entry> Lookup(uint64_t parent,
                             std::string_view name,
                             core::engine::Scratch& scratch);
  core::Result<Attributes> GetAttributes(uint64_t id, core::engine::Scratch& scratch);
  // The whole file as the attributes have announced it, in `into`.
  core::Status Read(uint64_t id, core::engine::Scratch& scratch, std::string& into);
  core::Result<std::vector<DirectoryEntry>> List(uint64_t id);
  // Where the name of a cgroup leads to: the directory that is called by its id.
  [[nodiscard]] core::Result<std::string> ReadLink(uint64_t id) const;

 private:
  struct File {
    size_t file = 0;  // the index in the catalog
    core::engine::ViewRef view;
  };

  [[nodiscard]] core::Result<ViewNode> FindNode(uint64_t id) const;
  core::Result<File> FindFile(const ViewNode& node, core::engine::Scratch& scratch);
  [[nodiscard]] Attributes PageAttributes(const ViewNode& node,
                                          size_t file,
                                          const core::engine::Page& page) const;
  void Pad(size_t file, const core::engine::Page& page, std::string& into) const;
  [[nodiscard]] size_t SizeOf(size_t file, const core::engine::Page& page) const;
  [[nodiscard]] Attributes DirectoryAttributes(uint64_t id) const;
  [[nodiscard]] Attributes LinkAttributes(core::cgroup::CgroupId cgroup) const;
  [[nodiscard]] Attributes WakeAttributes() const;
  core::Result<Entry> LookupView(std::string_view name, core::engine::Scratch& scratch);
  // Of a file whose bytes are not made yet: good for nothing but its mode.
  [[nodiscard]] Attributes UnknownAttributes(uint64_t id, size_t file) const;
  core::Result<Attributes> FileAttributes(const ViewNode& node, core::engine::Scratch& scratch);

  core::engine::Engine& engine_;
  ViewNodes nodes_;
  timespec mounted_at_{};
};

// A connection that answers from `tree` (see Connection::Open()).
core::Result<std::unique_ptr<Connection>> Connect(core::Fd fuse_fd,
                                                  PinnedTree& tree,
                                                  Journal& journal,
                                                  Transport transport = {});

}  // namespace fuse_layer
