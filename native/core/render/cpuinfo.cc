// SPDX-License-Identifier: Apache-2.0
// arch/*/kernel/**/proc.c: show_cpuinfo() (6.18). The host's text of the visible CPUs. Different on
// purpose: `processor` as the view numbers its CPUs, `siblings` and `cpu cores` counted among them,
// s390x's "# processors" is their number.
#include "core/proc/cpuinfo.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/text.h"
#include "core/base/write_text.h"
#include "core/model/visible_cpus.h"
#include "core/render/render.h"
#include "core/render/sheet.h"

namespace core::render {
namespace {

using proc::CpuInfoBlock;

// One physical package among the visible CPUs.
struct Package {
  std::string_view physical_id;
  uint64_t siblings = 0;   // its visible CPUs
  uint64_t cpu_cores = 0;  // their cores
};

// In the order of the ids' text.
std::vector<Package> CountPackages(const std::vector<CpuInfoBlock>& blocks,
                                   const model::VisibleCpus& cpus) {
  using PackageAndCore = std::pair<std::string_view, std::string_view>;
  std::vector<PackageAndCore> visible;
  for (const CpuInfoBlock& block : blocks) {
    if (cpus.physical.Contains(block.cpu)) visible.emplace_back(block.physical_id, block.core_id);
  }
  std::sort(visible.begin(), visible.end());
  std::vector<Package> packages;
  const PackageAndCore* last = nullptr;
  for (const PackageAndCore& cpu : visible) {
    const bool is_other_package = last == nullptr || last->first != cpu.first;
    if (is_other_package) packages.push_back({.physical_id = cpu.first});
    Package& package = packages.back();
    if (is_other_package || last->second != cpu.second) ++package.cpu_cores;
    ++package.siblings;
    last = &cpu;
  }
  return packages;
}

// Of the package of a visible block, so there is one.
const Package& FindPackage(const std::vector<Package>& packages, std::string_view physical_id) {
  return *std::lower_bound(
      packages.begin(), packages.end(), physical_id, [](const Package& package, auto id) {
        return package.physical_id < id;
      });
}

// A piece of a block's text and the number that stands there instead.
struct Edit {
  std::string_view old;
  uint64_t value = 0;
};

// `edits` in the order of the text; those without an old piece are not made.
void PutEdited(std::string_view text, const std::array<Edit, 3>& edits, TextWriter& out) {
  const char* done = text.data();
  for (const Edit& edit : edits) {
    if (edit.old.empty()) continue;
    out.Put(std::string_view(done, static_cast<size_t>(edit.old.data() - done)));
    out.PutU64(edit.value);
    done = edit.old.data() + edit.old.size();
  }
  out.Put(std::string_view(done, static_cast<size_t>(text.data() + text.size() - done)));
}

void PutBlocks(const std::vector<CpuInfoBlock>& blocks,
               const model::VisibleCpus& cpus,
               TextWriter& out) {
  const std::vector<Package> packages = CountPackages(blocks, cpus);
  for (const CpuInfoBlock& block : blocks) {
    if (!cpus.physical.Contains(block.cpu)) continue;
    const Package& package = FindPackage(packages, block.physical_id);
    std::array edits{Edit{block.number, cpus.ShownNumber(block.cpu)},
                     Edit{block.siblings, package.siblings},
                     Edit{block.cpu_cores, package.cpu_cores}};
    std::sort(edits.begin(), edits.end(), [](const Edit& a, const Edit& b) {
      return a.old.data() < b.old.data();
    });
    PutEdited(block.text, edits, out);
  }
}

// "# processors    : 4", only on s390x: the number of processor lines that follow.
void PutHead(const proc::CpuInfo& host, const model::VisibleCpus& cpus, TextWriter& out) {
  const auto shown =
      std::count_if(host.blocks.begin(), host.blocks.end(), [&](const CpuInfoBlock& block) {
        return cpus.physical.Contains(block.cpu);
      });
  std::string_view head = host.head;
  while (!head.empty()) {
    const std::string_view line = TakeLine(head);
    const auto colon = line.find(':');
    if (colon != std::string_view::npos && Trim(line.substr(0, colon)) == "# processors") {
      out.Put(line.substr(0, colon)).Put(": ").PutU64(static_cast<uint64_t>(shown)).Put('\n');
    } else {
      out.Put(line).Put('\n');
    }
  }
}

}  // namespace

void RenderCpuInfo(const Sheet& sheet, TextWriter& out) {
  const proc::CpuInfo& host = *sheet.host_cpuinfo;
  PutHead(host, sheet.cpus, out);
  PutBlocks(host.blocks, sheet.cpus, out);
  PutBlocks(host.sections, sheet.cpus, out);
  out.Put(host.tail);
}

}  // namespace core::render
