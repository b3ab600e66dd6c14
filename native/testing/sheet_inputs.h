// SPDX-License-Identifier: Apache-2.0
// The sheet that a renderer looks at, from a JavaScript object with the host's files as texts.
//
// Source: none.
// Units:  as the records say.
// Errors: a text that cannot be parsed leaves an exception pending.
#pragma once

#include <napi.h>

#include <string>
#include <vector>

#include "core/proc/cpuinfo.h"
#include "core/proc/meminfo.h"
#include "core/proc/stat.h"
#include "core/proc/vmstat.h"
#include "core/render/sheet.h"

namespace testing {

// A sheet and all that it points to.
struct Inputs {
  std::string meminfo_text, stat_text, cpuinfo_text, vmstat_text, diskstats_text, swaps_header,
      pressure;
  core::proc::MemInfo meminfo;
  core::proc::Stat stat;
  core::proc::CpuInfo cpuinfo;
  std::vector<core::proc::VmStatLine> vmstat;
  core::render::Sheet sheet;
};

// False leaves an exception pending. The sheet points into `inputs`, which must stay where it is.
bool ReadInputs(const Napi::Object& object, Inputs& inputs);

}  // namespace testing
