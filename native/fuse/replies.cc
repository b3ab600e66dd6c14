// SPDX-License-Identifier: Apache-2.0
#include "fuse/replies.h"

#include <sys/types.h>

#include <fuse_lowlevel.h>

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/engine/sheet_maker.h"
#include "fuse/entry.h"

namespace fuse_layer {

using core::Result;

void InitConnection(fuse_conn_info* connection) {
  connection->max_write = kMaxWriteBytes;
  connection->want &=
      ~static_cast<unsigned>(FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE);
}

core::engine::Scratch& ThreadScratch() {
  thread_local core::engine::Scratch scratch;
  return scratch;
}

void ReplyEntry(fuse_req_t request, const Result<Entry>& entry) {
  if (!entry) {
    fuse_reply_err(request, entry.error().errno_value);
    return;
  }
  fuse_entry_param reply{};
  reply.ino = entry->id;
  reply.generation = 1;
  reply.attr = entry->attributes.stat;
  reply.attr_timeout = entry->attributes.valid_seconds;
  reply.entry_timeout = entry->name_valid_seconds;
  fuse_reply_entry(request, &reply);
}

void ReplyAttributes(fuse_req_t request, const Result<Attributes>& attributes) {
  if (!attributes) {
    fuse_reply_err(request, attributes.error().errno_value);
    return;
  }
  fuse_reply_attr(request, &attributes->stat, attributes->valid_seconds);
}

void ReplyBytes(fuse_req_t request, std::string_view bytes, size_t size, off_t offset) {
  const size_t begin = std::min(static_cast<size_t>(offset), bytes.size());
  fuse_reply_buf(request, bytes.data() + begin, std::min(size, bytes.size() - begin));
}

void ReplyListing(fuse_req_t request,
                  const Result<std::vector<DirectoryEntry>>& entries,
                  size_t size,
                  off_t offset) {
  if (!entries) {
    fuse_reply_err(request, entries.error().errno_value);
    return;
  }
  std::vector<char> reply(size);
  size_t used = 0;
  for (auto index = static_cast<size_t>(offset); index < entries->size(); ++index) {
    const DirectoryEntry& entry = (*entries)[index];
    const size_t needed = fuse_add_direntry(request,
                                            reply.data() + used,
                                            size - used,
                                            entry.name.c_str(),
                                            &entry.stat,
                                            static_cast<off_t>(index + 1));
    if (needed > size - used) break;
    used += needed;
  }
  fuse_reply_buf(request, reply.data(), used);
}

}  // namespace fuse_layer
