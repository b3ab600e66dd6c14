// SPDX-License-Identifier: Apache-2.0
#include "fuse/reply_sink.h"

#include <linux/fuse.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "fuse/ring_abi.h"
#include "fuse/ring_memory.h"

namespace fuse_layer {
namespace {

// All larger replies are cut by the kernel's max_pages.
constexpr uint32_t kMaxWriteBytes = RingEntry::kPayloadBytes;
constexpr size_t kPageBytes = 4096;
constexpr uint16_t kMaxPages = RingEntry::kPayloadBytes / kPageBytes;

ssize_t PutIntoEntry(RingEntry& entry, const fuse_out_header& header, std::span<const iovec> body) {
  size_t used = 0;
  for (const iovec& part : body) {
    if (part.iov_len > sizeof entry.payload - used) {
      errno = EINVAL;
      return -1;
    }
    std::memcpy(entry.payload + used, part.iov_base, part.iov_len);
    used += part.iov_len;
  }
  std::memcpy(entry.header.in_out, &header, sizeof header);
  entry.header.ring.payload_bytes = static_cast<uint32_t>(used);
  return static_cast<ssize_t>(sizeof header + used);
}

// A copy of INIT's reply that also takes rings, with requests that fit their entries.
ssize_t WriteInitReply(int fd, std::span<const iovec> parts) {
  struct {
    fuse_out_header header;
    fuse_init_out body;
  } reply{};
  size_t used = 0;
  for (const iovec& part : parts) {
    const size_t size = std::min(part.iov_len, sizeof reply - used);
    std::memcpy(reinterpret_cast<char*>(&reply) + used, part.iov_base, size);
    used += size;
  }
  reply.body.flags |= FUSE_INIT_EXT | FUSE_MAX_PAGES;
  reply.body.flags2 |= kOverIoUring;
  reply.body.max_write = kMaxWriteBytes;
  reply.body.max_pages = kMaxPages;
  reply.header.len = sizeof reply;
  const iovec whole{.iov_base = &reply, .iov_len = sizeof reply};
  const ssize_t written = writev(fd, &whole, 1);
  return written < 0 ? written : static_cast<ssize_t>(used);
}

// The kernel pins the pages of each part, which takes longer than to copy a small one.
ssize_t WriteInOnePiece(int fd, std::span<const iovec> parts) {
  alignas(kPageBytes) thread_local std::array<char, kPageBytes> page;
  size_t used = 0;
  for (const iovec& part : parts) {
    if (part.iov_len > page.size() - used) {
      return writev(fd, parts.data(), static_cast<int>(parts.size()));
    }
    std::memcpy(page.data() + used, part.iov_base, part.iov_len);
    used += part.iov_len;
  }
  return write(fd, page.data(), used);
}

}  // namespace

ReplySink& ThreadSink() {
  thread_local ReplySink sink;
  return sink;
}

void ReplyStatus(RingEntry& entry, uint64_t unique, int error) {
  const fuse_out_header header{.len = sizeof header, .error = error, .unique = unique};
  (void)PutIntoEntry(entry, header, {});
}

ssize_t WriteReply(int fd, iovec* parts, int count, void* /*user_data*/) {
  const std::span<const iovec> all(parts, static_cast<size_t>(count));
  ReplySink& sink = ThreadSink();
  fuse_out_header header{};
  if (all.empty() || all.front().iov_len < sizeof header) return writev(fd, parts, count);
  std::memcpy(&header, all.front().iov_base, sizeof header);
  // libfuse may also answer an interrupt here, which came from the descriptor.
  if (sink.entry != nullptr && header.unique == sink.unique && !sink.has_replied) {
    const ssize_t put = PutIntoEntry(*sink.entry, header, all.subspan(1));
    sink.has_replied = put >= 0;
    return put;
  }
  const bool has_init_reply =
      all.size() == 2 && all[1].iov_len >= offsetof(fuse_init_out, flags2) + sizeof(uint32_t);
  if (sink.takes_rings && header.error == 0 && has_init_reply) return WriteInitReply(fd, all);
  return WriteInOnePiece(fd, all);
}

}  // namespace fuse_layer
