// SPDX-License-Identifier: Apache-2.0
// Imitates drivers/base/cpu.c: show_cpus_attr() and print_cpus_offline() (Linux 6.18). online,
// possible and present are all V: CPUs that a container cannot be given do not exist for it.
#include "core/base/cpu_set.h"
#include "core/base/write_text.h"
#include "core/render/render.h"
#include "core/render/sheet.h"

namespace core::render {

void RenderCpuOnline(const Sheet& sheet, TextWriter& out) {
  WriteCpuList(sheet.cpus.Shown(), out);
  out.Put('\n');
}

void RenderCpuOffline(const Sheet& /*sheet*/, TextWriter& out) {
  out.Put('\n');
}

}  // namespace core::render
