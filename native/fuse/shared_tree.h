// SPDX-License-Identifier: Apache-2.0
// The tree whose files show each caller its own values.
//
// Source: libfuse's low-level interface; the layout is that of the host's /proc and /sys.
// Units:  none.
// Errors: what read(2) and friends show: ENOENT for CPUs the caller does not see, EIO by policy.
//         Writing is refused by the kernel (EROFS): the mount is read-only.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <fuse_lowlevel.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/engine/engine.h"
#include "core/engine/sheet_maker.h"
#include "core/engine/view.h"
#include "fuse/handle_table.h"
#include "fuse/node_table.h"

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
  SharedTree(core::engine::Engine& engine, size_t handles_max);

  struct Entry {
    uint64_t id = 0;
    struct stat attributes{};
    // The name leads elsewhere for another caller, so the kernel must ask each time.
    bool depends_on_caller = false;
  };

  core::Result<Entry> Lookup(uint64_t parent, std::string_view name, Context& context);
  core::Result<struct stat> GetAttributes(uint64_t id);
  core::Result<std::string> ReadLink(uint64_t id);
  // A handle for reading the file `id`.
  core::Result<uint64_t> Open(uint64_t id);
  void Close(uint64_t handle) { handles_.Close(handle); }
  // The snapshot to answer from: a new one at offset 0, else the one the handle's reads began with.
  core::Result<core::engine::SnapshotRef> Read(uint64_t id,
                                               uint64_t handle,
                                               off_t offset,
                                               Context& context);

  struct DirectoryEntry {
    std::string name;
    struct stat attributes{};  // st_ino and the type
  };
  // Every entry, "." and ".." included, once each and always in the same order.
  core::Result<std::vector<DirectoryEntry>> List(uint64_t id, Context& context);

  [[nodiscard]] int64_t OpenHandles() const { return handles_.OpenCount(); }

 private:
  [[nodiscard]] core::Result<Node> FindNode(uint64_t id);
  bool RecoverSysNode(uint64_t id);
  core::Result<core::engine::ViewRef> ViewOf(const Context& context);
  core::Result<struct stat> AttributesOf(const Node& node) const;
  core::Result<Entry> LookupSys(const Node& parent, std::string_view name, Context& context);

  core::engine::Engine& engine_;
  NodeTable nodes_;
  HandleTable handles_;
  timespec mounted_at_{};
};

// The callbacks; the session's user data must be the SharedTree.
const fuse_lowlevel_ops& SharedOperations();

}  // namespace fuse_layer
