// SPDX-License-Identifier: Apache-2.0
// fs/proc/loadavg.c: loadavg_proc_show() (6.18): "%lu.%02lu %lu.%02lu %lu.%02lu %u/%d %d\n".
// Different on purpose: the running tasks are those that the load counts, D tasks included.
#include <algorithm>

#include "core/base/write_text.h"
#include "core/render/render.h"
#include "core/render/sheet.h"

namespace core::render {

void RenderLoadAverage(const Sheet& sheet, TextWriter& out) {
  for (int index = 0; index < 3; ++index) {
    out.PutHundredths(sheet.load.Hundredths(index)).Put(' ');
  }
  const TaskCounts& tasks = sheet.tasks;
  // The two are counted one after the other; a part is never above the whole.
  out.PutU64(tasks.running).Put('/').PutU64(std::max(tasks.total, tasks.running));
  out.Put(' ').PutU64(tasks.last_pid).Put('\n');
}

}  // namespace core::render
