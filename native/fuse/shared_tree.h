// SPDX-License-Identifier: Apache-2.0
// The tree whose files show each caller its own values; below "views", those of the view that the
// path names.
//
// Source: libfuse's low-level interface; the layout is that of the host's /proc and /sys.
// Units:  none.
// Errors: what read(2) and friends show: ENOENT for CPUs the caller does not see, EIO by policy.
//         Writing is refused by the kernel (EROFS): the mount is read-only. Where pressure files
//         take triggers it is not, and all other writing is refused here.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/fd.h"
#include "core/base/result.h"
#include "core/engine/engine.h"
#include "core/engine/sheet_maker.h"
#include "core/engine/snapshot_slots.h"
#include "core/engine/view.h"
#include "fuse/connection.h"
#include "fuse/entry.h"
#include "fuse/handle_table.h"
#include "fuse/journal.h"
#include "fuse/node_table.h"
#include "fuse/triggers.h"
#include "fuse/view_nodes.h"

namespace fuse_layer {

// One request's caller and the calling thread's scratch memory.
struct Context {
  pid_t pid = 0;
  core::engine::Scratch& scratch;
};

// The operations as functions of nodes; the callbacks in shared_operations.cc turn them into
// replies. Safe from any thread.
class SharedTree {
 public:
  // `engine` must outlive the tree.
  SharedTree(core::engine::Engine& engine, size_t handles_max, Triggers& triggers);

  core::Result<Entry> Lookup(uint64_t parent, std::string_view name, Context& context);
  core::Result<Attributes> GetAttributes(uint64_t id);
  core::Result<std::string> ReadLink(uint64_t id);
  // A handle for the file `id`; `flags` are open(2)'s.
  core::Result<uint64_t> Open(uint64_t id, int flags);
  void Close(uint64_t handle);
  // Whether any file may be written to, and waited for.
  [[nodiscard]] bool TakesTriggers() const { return engine_.TakesAnyTriggers(); }
  // What is written into a pressure file.
  core::Status Write(uint64_t id, uint64_t handle, std::string_view text, Context& context);
  // The events of poll(2); `poll_handle` when the caller is about to sleep.
  unsigned Poll(uint64_t id, uint64_t handle, std::optional<uint64_t> poll_handle);
  // The snapshot to answer from: a new one at offset 0, else the one the handle's reads began with.
  core::Result<core::engine::SnapshotRef> Read(uint64_t id,
                                               uint64_t handle,
                                               off_t offset,
                                               Context& context);

  // Every entry, "." and ".." included, once each and always in the same order.
  core::Result<std::vector<DirectoryEntry>> List(uint64_t id, Context& context);

  // Of the catalog's files.
  [[nodiscard]] std::vector<uint64_t> FileIds() const;

  [[nodiscard]] int64_t OpenHandles() const { return handles_.OpenCount(); }

 private:
  [[nodiscard]] core::Result<Node> FindNode(uint64_t id);
  bool RecoverSysNode(uint64_t id);
  // The view that the file `id` shows: the one it is below, else the caller's.
  core::Result<core::engine::ViewRef> ViewOf(uint64_t id, const Context& context);
  // The pressure file `id` that takes triggers, by its index in the catalog.
  [[nodiscard]] std::optional<size_t> FindTriggerFile(uint64_t id);
  core::Result<Attributes> AttributesOf(const Node& node) const;
  [[nodiscard]] Attributes AttributesOf(const ViewNode& node) const;
  [[nodiscard]] Attributes OwnAttributes(uint64_t id, mode_t mode) const;
  [[nodiscard]] Attributes FileAttributes(uint64_t id, size_t file) const;
  [[nodiscard]] Entry EntryOf(const ViewNode& node, double name_valid_seconds) const;
  core::Result<core::engine::SnapshotRef> ReadAnew(uint64_t id,
                                                   const core::Result<core::engine::ViewRef>& view,
                                                   Context& context);
  core::Result<Entry> LookupSys(const Node& parent, std::string_view name, Context& context);

  core::engine::Engine& engine_;
  NodeTable nodes_;
  ViewNodes view_nodes_;
  HandleTable handles_;
  Triggers& triggers_;
  timespec mounted_at_{};
};

// A connection that answers from `tree` (see Connection::Open()).
core::Result<std::unique_ptr<Connection>> Connect(core::Fd fuse_fd,
                                                  SharedTree& tree,
                                                  Journal& journal,
                                                  Transport transport = {});

}  // namespace fuse_layer
