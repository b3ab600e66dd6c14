// SPDX-License-Identifier: Apache-2.0
// kernel/sched/psi.c: psi_show(). The cgroup's file has the layout of /proc/pressure's, so its text
// is the answer; whoever fills the sheet answers with a fallback instead of an empty text.
#include "core/base/write_text.h"
#include "core/render/render.h"
#include "core/render/sheet.h"

namespace core::render {

void RenderPressure(const Sheet& sheet, TextWriter& out) {
  out.Put(sheet.pressure);
}

}  // namespace core::render
