// SPDX-License-Identifier: Apache-2.0
#include "load/bare_files.h"

#include <linux/fuse.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace load {
namespace {

constexpr uint64_t kForeverSeconds = 86'400;
constexpr uint32_t kNoFlush = 1U << 5;  // FOPEN_NOFLUSH, Linux 5.16

template <typename Struct>
BareReply Put(const Struct& reply, std::span<char> payload) {
  std::memcpy(payload.data(), &reply, sizeof reply);
  return {.bytes = sizeof reply};
}

}  // namespace

// 0 for what is not there.
uint64_t BareFiles::Find(uint64_t parent, std::string_view name) const {
  if (parent == FUSE_ROOT_ID) return name == "proc" ? kDirectory : 0;
  const auto found = std::ranges::find(files_, name, &BareFile::name);
  if (parent != kDirectory || found == files_.end()) return 0;
  return kFirstFile + static_cast<uint64_t>(found - files_.begin());
}

fuse_attr BareFiles::AttributesOf(uint64_t node) const {
  const bool is_file = node >= kFirstFile;
  fuse_attr attributes{};
  attributes.ino = node;
  attributes.mode = is_file ? S_IFREG | 0444 : S_IFDIR | 0555;
  attributes.nlink = 1;
  attributes.size = is_file ? files_[node - kFirstFile].bytes.size() : 0;
  return attributes;
}

BareReply BareFiles::Answer(const fuse_in_header& request,
                            std::span<const char> operation,
                            std::string_view name,
                            std::span<char> payload) const {
  switch (request.opcode) {
    case FUSE_LOOKUP: {
      const uint64_t node = Find(request.nodeid, name);
      if (node == 0) return {.error = -ENOENT};
      fuse_entry_out entry{};
      entry.nodeid = node;
      entry.entry_valid = kForeverSeconds;
      entry.attr_valid = kForeverSeconds;
      entry.attr = AttributesOf(node);
      return Put(entry, payload);
    }
    case FUSE_GETATTR: {
      fuse_attr_out attributes{};
      attributes.attr_valid = kForeverSeconds;
      attributes.attr = AttributesOf(request.nodeid);
      return Put(attributes, payload);
    }
    case FUSE_OPEN: {
      fuse_open_out open{};
      open.open_flags = FOPEN_DIRECT_IO | kNoFlush;
      return Put(open, payload);
    }
    case FUSE_READ: {
      fuse_read_in read{};
      std::memcpy(&read, operation.data(), std::min(operation.size(), sizeof read));
      const std::string_view bytes = files_[request.nodeid - kFirstFile].bytes;
      const std::string_view wanted =
          bytes.substr(std::min<size_t>(read.offset, bytes.size()), read.size);
      const size_t count = std::min(wanted.size(), payload.size());
      std::memcpy(payload.data(), wanted.data(), count);
      return {.bytes = count};
    }
    case FUSE_RELEASE:
      return {};
    default:
      return {.error = -ENOSYS};
  }
}

}  // namespace load
