// SPDX-License-Identifier: Apache-2.0
// The callbacks of the pinned tree: each unpacks its request, calls the tree and replies once.
#include <sys/types.h>

#include <fuse_lowlevel.h>

#include <cerrno>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "core/base/fd.h"
#include "core/base/result.h"
#include "fuse/connection.h"
#include "fuse/journal.h"
#include "fuse/pinned_tree.h"
#include "fuse/replies.h"

namespace fuse_layer {
namespace {

PinnedTree& TreeOf(fuse_req_t request) {
  return *static_cast<PinnedTree*>(fuse_req_userdata(request));
}

void Init(void* /*tree*/, fuse_conn_info* connection) {
  InitConnection(connection);
  connection->want |= FUSE_CAP_AUTO_INVAL_DATA;
}

void Lookup(fuse_req_t request, fuse_ino_t parent, const char* name) {
  ReplyEntry(request, TreeOf(request).Lookup(parent, name, ThreadScratch()));
}

void GetAttributes(fuse_req_t request, fuse_ino_t id, fuse_file_info* /*file*/) {
  ReplyAttributes(request, TreeOf(request).GetAttributes(id, ThreadScratch()));
}

void ReadLink(fuse_req_t request, fuse_ino_t id) {
  const auto target = TreeOf(request).ReadLink(id);
  if (!target) {
    fuse_reply_err(request, target.error().errno_value);
    return;
  }
  fuse_reply_readlink(request, target->c_str());
}

// The first answer is the last: after ENOSYS the kernel opens and closes files of this connection
// without asking, and keeps their pages.
void Open(fuse_req_t request, fuse_ino_t /*id*/, fuse_file_info* /*file*/) {
  fuse_reply_err(request, ENOSYS);
}

void Read(fuse_req_t request, fuse_ino_t id, size_t size, off_t offset, fuse_file_info* /*file*/) {
  thread_local std::string bytes;
  const auto status = TreeOf(request).Read(id, ThreadScratch(), bytes);
  if (!status) {
    fuse_reply_err(request, status.error().errno_value);
    return;
  }
  ReplyBytes(request, bytes, size, offset);
}

void OpenDirectory(fuse_req_t request, fuse_ino_t /*id*/, fuse_file_info* file) {
  // Answered, not refused: otherwise the kernel would keep the listing of the views.
  fuse_reply_open(request, file);
}

void ReadDirectory(
    fuse_req_t request, fuse_ino_t id, size_t size, off_t offset, fuse_file_info* /*file*/) {
  ReplyListing(request, TreeOf(request).List(id), size, offset);
}

const fuse_lowlevel_ops& Operations() {
  static const fuse_lowlevel_ops table = [] {
    fuse_lowlevel_ops operations{};
    operations.init = Init;
    operations.lookup = Lookup;
    operations.getattr = GetAttributes;
    operations.readlink = ReadLink;
    operations.open = Open;
    operations.read = Read;
    operations.opendir = OpenDirectory;
    operations.readdir = ReadDirectory;
    return operations;
  }();
  return table;
}

}  // namespace

core::Result<std::unique_ptr<Connection>> Connect(core::Fd fuse_fd,
                                                  PinnedTree& tree,
                                                  Journal& journal,
                                                  Transport transport) {
  transport.file_ids = {PinnedTree::kWakeId};
  return Connection::Open(std::move(fuse_fd), Operations(), &tree, journal, std::move(transport));
}

}  // namespace fuse_layer
