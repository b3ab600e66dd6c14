// SPDX-License-Identifier: Apache-2.0
// Makes the public tree show a source's files with as few layers as there can be.
//
// A layer is taken away only if nobody depends on it (followers.h), so stacks grow with the
// containers that were started above a layer and still run, not with time. Two rules keep readers
// from noticing: a layer goes when what is beneath it is wanted, or when the wanted one has been
// put beneath it; before Linux 6.5, which cannot do that, the wanted one is stacked on it.
//
// A container that a runtime starts from a layer while it is taken away keeps what the layer
// showed; `lensfs repair` renews it.
//
// Source: mount_namespaces(7).
// Units:  none.
// Errors: as StackLayer().
#pragma once

#include <string>

#include "core/base/result.h"
#include "mounts/stable_tree.h"

namespace mounts {

// Looks at all processes' mounts, which StackLayer() does not.
core::Status SettleLayer(const std::string& tree, const LayerSource& source);

}  // namespace mounts
