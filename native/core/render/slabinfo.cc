// SPDX-License-Identifier: Apache-2.0
// mm/slab_common.c: print_slabinfo_header() (6.18). No cache follows: caches belong to the host,
// and v1's memory.kmem.slabinfo is empty since 5.9.
#include <string_view>

#include "core/base/write_text.h"
#include "core/render/render.h"
#include "core/render/sheet.h"

namespace core::render {
namespace {

constexpr std::string_view kHeader =
    "slabinfo - version: 2.1\n"
    "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>"
    " : tunables <limit> <batchcount> <sharedfactor>"
    " : slabdata <active_slabs> <num_slabs> <sharedavail>\n";

}  // namespace

void RenderSlabInfo(const Sheet& /*sheet*/, TextWriter& out) {
  out.Put(kHeader);
}

}  // namespace core::render
