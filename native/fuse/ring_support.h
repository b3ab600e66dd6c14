// SPDX-License-Identifier: Apache-2.0
// Whether a new connection may use rings, and why not.
//
// Source: fuse-io-uring.rst: the kernel offers them in INIT while fuse.enable_uring is on.
// Units:  none.
// Errors: the reason as a text for people.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "core/base/result.h"

namespace fuse_layer {

// What the kernel and this process lack for it; empty: nothing. `init` is the kernel's INIT.
std::string WhyNoRings(std::span<const char> init);

// An error on the way to rings as such a text.
std::string WhyNoRings(const core::Error& error);

// The number of queues that the kernel wants.
core::Result<size_t> CountPossibleCpus();

}  // namespace fuse_layer
