// SPDX-License-Identifier: Apache-2.0
// fs/proc/uptime.c: uptime_proc_show() (6.18): "%lu.%02lu %lu.%02lu\n", both rounded down. Idle is
// the idle time of the cpu line of /proc/stat, a sum over CPUs as the kernel's.
#include <cstdint>

#include "core/base/units.h"
#include "core/base/write_text.h"
#include "core/render/render.h"
#include "core/render/sheet.h"

namespace core::render {
namespace {

constexpr uint64_t kUsecPerHundredth = kUsecPerSec / 100;

}  // namespace

void RenderUptime(const Sheet& sheet, TextWriter& out) {
  out.PutHundredths(sheet.age_usec / kUsecPerHundredth).Put(' ');
  out.PutHundredths(sheet.cpu_times.total.idle_usec / kUsecPerHundredth).Put('\n');
}

}  // namespace core::render
