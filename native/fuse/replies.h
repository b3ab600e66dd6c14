// SPDX-License-Identifier: Apache-2.0
// Replies that both trees give in the same form. Each replies once, with no lock held.
//
// Source: libfuse's low-level interface.
// Units:  bytes.
// Errors: none; a reply that nobody waits for any more is dropped.
#pragma once

#include <sys/types.h>

#include <fuse_lowlevel.h>

#include <cstddef>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/engine/sheet_maker.h"
#include "fuse/entry.h"

namespace fuse_layer {

// Larger reads than any file needs at once would only pin more of the reader's memory.
inline constexpr unsigned kMaxWriteBytes = 64 * 1024;

// What every connection tells the kernel of itself.
void InitConnection(fuse_conn_info* connection);

// Each reader thread's own.
core::engine::Scratch& ThreadScratch();

void ReplyEntry(fuse_req_t request, const core::Result<Entry>& entry);
void ReplyAttributes(fuse_req_t request, const core::Result<Attributes>& attributes);
// The part of `bytes` that was asked for.
void ReplyBytes(fuse_req_t request, std::string_view bytes, size_t size, off_t offset);
// As many entries as fit, from the `offset`th on.
void ReplyListing(fuse_req_t request,
                  const core::Result<std::vector<DirectoryEntry>>& entries,
                  size_t size,
                  off_t offset);

}  // namespace fuse_layer
