// SPDX-License-Identifier: Apache-2.0
// Reads what one file of one view needs, and derives the records its renderer looks at.
//
// Source: the host's files and the view's cgroup.
// Units:  as the records say.
// Errors: those of reading and parsing; nothing is left half filled when there is one.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/read_file.h"
#include "core/base/result.h"
#include "core/catalog/catalog.h"
#include "core/cgroup/memory_neighbours.h"
#include "core/cgroup/memory_query.h"
#include "core/engine/host_files.h"
#include "core/engine/load_sampler.h"
#include "core/engine/moment.h"
#include "core/engine/options.h"
#include "core/engine/view.h"
#include "core/proc/pid.h"
#include "core/render/sheet.h"

namespace core::engine {

// What one thread needs to make sheets; used again for every render, so that nothing is allocated.
struct Scratch {
  // Called before work that may take longer than a read should; may be empty.
  std::function<void()> before_delay;
  FileBuffer file{size_t{64} * 1024};
  render::Sheet sheet;
  std::string text;                  // what is rendered from it
  cgroup::MemoryQuery memory_query;  // what the sheet's memory was read with
  // What the sheet points into.
  HostFiles::Ref<proc::MemInfo> meminfo;
  HostFiles::Ref<proc::Stat> stat;
  HostFiles::Ref<proc::CpuInfo> cpuinfo;
  HostFiles::Ref<std::vector<proc::DiskLine>> diskstats;
  HostFiles::Ref<std::vector<proc::VmStatLine>> vmstat;
  HostFiles::Ref<SwapsHeader> swaps;
};

class SheetMaker {
 public:
  SheetMaker(HostFiles& host, LoadSampler& loads) : host_(host), loads_(loads) {}

  // Whether the host's root governs all that `needs` is about, so that the host's own bytes are the
  // right ones.
  static bool IsHosts(const View& view, catalog::Needs needs, const Policy& policy);

  // Fills `scratch.sheet`; false when the host's own bytes are the right ones after all (a
  // controller that is not enabled anywhere on the way to the root).
  Result<bool> Make(View& view,
                    catalog::Needs needs,
                    const Policy& policy,
                    bool is_32bit,
                    Moment now,
                    Scratch& scratch);

  // V of `view`.
  Result<model::VisibleCpus> ReadVisibleCpus(const View& view,
                                             const Policy& policy,
                                             Moment now,
                                             FileBuffer& buffer);

  // The levels that limit the view's memory, as the sheet in `scratch` was made of them.
  [[nodiscard]] Result<std::vector<cgroup::MemoryLevelReport>> DescribeMemoryLevels(
      const View& view, Scratch& scratch, bool with_neighbours) const;

  // How often an ancestor's memory files were read, for all views below it together.
  [[nodiscard]] uint64_t LevelReads() const { return level_reads_.load(std::memory_order_relaxed); }

 private:
  Result<bool> FillMemory(View& view, const Policy& policy, Moment now, Scratch& scratch);
  Result<Nanoseconds> FillCpus(View& view, const Policy& policy, Moment now, Scratch& scratch);
  Result<bool> FillCpuTime(View& view, const Policy& policy, Moment now, Scratch& scratch);
  Result<bool> FillDisks(View& view, const Policy& policy, Moment now, Scratch& scratch);
  Result<bool> FillPressure(View& view, catalog::Needs needs, Scratch& scratch);
  Status FillHost(
      catalog::Needs needs, const Policy& policy, bool is_32bit, Moment now, Scratch& scratch);

  HostFiles& host_;
  LoadSampler& loads_;
  std::atomic<uint64_t> level_reads_{0};
};

// How long the view's init process has been running.
uint64_t AgeUsec(const View& view, Moment now);

}  // namespace core::engine
