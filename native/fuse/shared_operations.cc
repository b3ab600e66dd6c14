// SPDX-License-Identifier: Apache-2.0
// The callbacks of the shared tree: each unpacks its request, calls the tree and replies once.
// No lock is held while a reply is written.
#include <sys/stat.h>
#include <sys/types.h>

#include <fuse_lowlevel.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/engine/sheet_maker.h"
#include "fuse/shared_tree.h"

namespace fuse_layer {
namespace {

// Names and attributes never change, but for those that depend on the caller.
constexpr double kForeverSeconds = 86400;

// Larger reads than any file needs at once would only pin more of the reader's memory.
constexpr unsigned kMaxWriteBytes = 64 * 1024;

// Each reader thread's own.
core::engine::Scratch& ThreadScratch() {
  thread_local core::engine::Scratch scratch;
  return scratch;
}

SharedTree& TreeOf(fuse_req_t request) {
  return *static_cast<SharedTree*>(fuse_req_userdata(request));
}

Context ContextOf(fuse_req_t request) {
  return Context{.pid = fuse_req_ctx(request)->pid, .scratch = ThreadScratch()};
}

void Init(void* /*tree*/, fuse_conn_info* connection) {
  connection->max_write = kMaxWriteBytes;
  connection->want &=
      ~static_cast<unsigned>(FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE);
}

void Lookup(fuse_req_t request, fuse_ino_t parent, const char* name) {
  Context context = ContextOf(request);
  const auto found = TreeOf(request).Lookup(parent, name, context);
  if (!found) {
    fuse_reply_err(request, found.error().errno_value);
    return;
  }
  fuse_entry_param entry{};
  entry.ino = found->id;
  entry.generation = 1;
  entry.attr = found->attributes;
  entry.attr_timeout = kForeverSeconds;
  entry.entry_timeout = found->depends_on_caller ? 0 : kForeverSeconds;
  fuse_reply_entry(request, &entry);
}

void GetAttributes(fuse_req_t request, fuse_ino_t id, fuse_file_info* /*file*/) {
  const auto attributes = TreeOf(request).GetAttributes(id);
  if (!attributes) {
    fuse_reply_err(request, attributes.error().errno_value);
    return;
  }
  fuse_reply_attr(request, &*attributes, kForeverSeconds);
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
  const auto handle = TreeOf(request).Open(id);
  if (!handle) {
    fuse_reply_err(request, handle.error().errno_value);
    return;
  }
  file->fh = *handle;
  file->direct_io = 1;
  // An interrupted open never gets a release.
  if (fuse_reply_open(request, file) != 0) TreeOf(request).Close(*handle);
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
  const std::string& bytes = (*snapshot)->bytes;
  const size_t begin = std::min(static_cast<size_t>(offset), bytes.size());
  fuse_reply_buf(request, bytes.data() + begin, std::min(size, bytes.size() - begin));
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
  const auto entries = TreeOf(request).List(id, context);
  if (!entries) {
    fuse_reply_err(request, entries.error().errno_value);
    return;
  }
  std::vector<char> reply(size);
  size_t used = 0;
  for (auto index = static_cast<size_t>(offset); index < entries->size(); ++index) {
    const auto& entry = (*entries)[index];
    const size_t needed = fuse_add_direntry(request,
                                            reply.data() + used,
                                            size - used,
                                            entry.name.c_str(),
                                            &entry.attributes,
                                            static_cast<off_t>(index + 1));
    if (needed > size - used) break;
    used += needed;
  }
  fuse_reply_buf(request, reply.data(), used);
}

}  // namespace

const fuse_lowlevel_ops& SharedOperations() {
  static const fuse_lowlevel_ops table = [] {
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
  return table;
}

}  // namespace fuse_layer
