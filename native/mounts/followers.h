// SPDX-License-Identifier: Apache-2.0
// Who follows a layer of the public tree in a way that it must stay where it is.
//
// A mount that was made from the layer itself is updated through that layer alone. One that was
// made together with what lies beneath it is updated through that as well, and goes when the layer
// goes.
//
// Source: mount_namespaces(7); the optional fields of /proc/<pid>/mountinfo.
// Units:  none.
// Errors: errno of reading /proc.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <unordered_set>

#include "core/base/result.h"

namespace mounts {

// The peer group of a layer -> that of the layer beneath.
using LayerGroups = std::unordered_map<uint64_t, uint64_t>;

// Those of `layers` that a mount in any mount namespace depends on. All of them where not all
// processes of the host can be seen, or there is more to look at than is looked at.
core::Result<std::unordered_set<uint64_t>> FindFollowed(const LayerGroups& layers);

}  // namespace mounts
