// SPDX-License-Identifier: Apache-2.0
// The callbacks of the shared tree: each unpacks its request, calls the tree and replies once.
// No lock is held while a reply is written.
#include <sys/types.h>

#include <fuse_lowlevel.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "core/base/fd.h"
#include "core/base/result.h"
#include "fuse/connection.h"
#include "fuse/journal.h"
#include "fuse/replies.h"
#include "fuse/shared_tree.h"

namespace fuse_layer {
namespace {

SharedTree& TreeOf(fuse_req_t request) {
  return *static_cast<SharedTree*>(fuse_req_userdata(request));
}

Context ContextOf(fuse_req_t request) {
  return Context{.pid = fuse_req_ctx(request)->pid, .scratch = ThreadScratch()};
}

void Init(void* /*tree*/, fuse_conn_info* connection) {
  InitConnection(connection);
}

void Lookup(fuse_req_t request, fuse_ino_t parent, const char* name) {
  Context context = ContextOf(request);
  ReplyEntry(request, TreeOf(request).Lookup(parent, name, context));
}

void GetAttributes(fuse_req_t request, fuse_ino_t id, fuse_file_info* /*file*/) {
  ReplyAttributes(request, TreeOf(request).GetAttributes(id));
}

void ReadLink(fuse_req_t request, fuse_ino_t id) {
  const auto target = TreeOf(request).ReadLink(id);
  if (!target) {
    fuse_reply_err(request, target.error().errno_value);
    return;
  }
  fuse_reply_readlink(request, target->c_str());
}

void Open(fuse_req_t request, fuse_ino_t id, fuse_file_info* file) {
  SharedTree& tree = TreeOf(request);
  const auto handle = tree.Open(id, file->flags);
  if (!handle) {
    fuse_reply_err(request, handle.error().errno_value);
    return;
  }
  file->fh = *handle;
  file->direct_io = 1;
#if FUSE_VERSION >= FUSE_MAKE_VERSION(3, 11)
  // Closing asks nobody, also while no worker is there: who starts lensfs may have a file open.
  file->noflush = 1;
#endif
  // An interrupted open never gets a release, nor one that a predecessor has answered already.
  if (fuse_reply_open(request, file) != 0) tree.Close(*handle);
}

void Read(fuse_req_t request, fuse_ino_t id, size_t size, off_t offset, fuse_file_info* file) {
  // Nobody's read: the kernel fills its page cache, for sendfile (from Linux 6.5 on) or a private
  // mapping. What is in there would be shown to other containers, so there is nothing for it; who
  // calls sendfile goes on with read when it says EINVAL.
  if (file->lock_owner == 0) {
    fuse_reply_err(request, EINVAL);
    return;
  }
  Context context = ContextOf(request);
  const auto snapshot = TreeOf(request).Read(id, file->fh, offset, context);
  if (!snapshot) {
    fuse_reply_err(request, snapshot.error().errno_value);
    return;
  }
  ReplyBytes(request, (*snapshot)->bytes, size, offset);
}

void Write(fuse_req_t request,
           fuse_ino_t id,
           const char* bytes,
           size_t size,
           off_t /*offset*/,
           fuse_file_info* file) {
  Context context = ContextOf(request);
  const auto written = TreeOf(request).Write(id, file->fh, {bytes, size}, context);
  if (!written) {
    fuse_reply_err(request, written.error().errno_value);
    return;
  }
  fuse_reply_write(request, size);
}

void Poll(fuse_req_t request, fuse_ino_t id, fuse_file_info* file, fuse_pollhandle* sleeper) {
  std::optional<uint64_t> poll_handle;
  if (sleeper != nullptr) {
    // libfuse has the kernel's handle first in it, and gives it out in no other way; a successor
    // must know it.
    std::memcpy(&poll_handle.emplace(), sleeper, sizeof(uint64_t));
    fuse_pollhandle_destroy(sleeper);
  }
  fuse_reply_poll(request, TreeOf(request).Poll(id, file->fh, poll_handle));
}

// The time of an `echo trigger > file`, and nothing else, is changed without complaint.
void SetAttributes(fuse_req_t request,
                   fuse_ino_t id,
                   struct stat* /*wanted*/,
                   int which,
                   fuse_file_info* /*file*/) {
  constexpr int kOfWriting = FUSE_SET_ATTR_SIZE | FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_CTIME |
                             FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_MTIME_NOW |
                             FUSE_SET_ATTR_ATIME_NOW;
  if ((which & ~kOfWriting) != 0) {
    fuse_reply_err(request, EPERM);
    return;
  }
  ReplyAttributes(request, TreeOf(request).GetAttributes(id));
}

void Release(fuse_req_t request, fuse_ino_t /*id*/, fuse_file_info* file) {
  TreeOf(request).Close(file->fh);
  fuse_reply_err(request, 0);
}

void OpenDirectory(fuse_req_t request, fuse_ino_t /*id*/, fuse_file_info* file) {
  // Answered, not refused: otherwise the kernel would cache one caller's listing for all.
  fuse_reply_open(request, file);
}

void ReadDirectory(
    fuse_req_t request, fuse_ino_t id, size_t size, off_t offset, fuse_file_info* /*file*/) {
  Context context = ContextOf(request);
  ReplyListing(request, TreeOf(request).List(id, context), size, offset);
}

const fuse_lowlevel_ops& Operations(bool take_triggers) {
  static const fuse_lowlevel_ops read_only = [] {
    fuse_lowlevel_ops operations{};
    operations.init = Init;
    operations.lookup = Lookup;
    operations.getattr = GetAttributes;
    operations.readlink = ReadLink;
    operations.open = Open;
    operations.read = Read;
    operations.release = Release;
    operations.opendir = OpenDirectory;
    operations.readdir = ReadDirectory;
    return operations;
  }();
  // Whoever is asked for poll keeps the machine from suspending, so nobody is unless it must be:
  // the kernel asks once, and never again where that is not there.
  static const fuse_lowlevel_ops with_triggers = [] {
    fuse_lowlevel_ops operations = read_only;
    operations.setattr = SetAttributes;
    operations.write = Write;
    operations.poll = Poll;
    return operations;
  }();
  return take_triggers ? with_triggers : read_only;
}

}  // namespace

core::Result<std::unique_ptr<Connection>> Connect(core::Fd fuse_fd,
                                                  SharedTree& tree,
                                                  Journal& journal,
                                                  Transport transport) {
  transport.file_ids = tree.FileIds();
  return Connection::Open(
      std::move(fuse_fd), Operations(tree.TakesTriggers()), &tree, journal, std::move(transport));
}

}  // namespace fuse_layer
