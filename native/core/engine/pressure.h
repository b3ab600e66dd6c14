// SPDX-License-Identifier: Apache-2.0
// Which file of a cgroup a pressure file of the catalog shows.
//
// Source: Documentation/accounting/psi.rst.
// Units:  none.
// Errors: none.
#pragma once

#include <optional>

#include "core/catalog/catalog.h"
#include "core/cgroup/cgroup_dir.h"

namespace core::engine {

// nullopt for what needs none of them.
std::optional<cgroup::CgroupFile> PressureFileOf(catalog::Needs needs);

}  // namespace core::engine
