// SPDX-License-Identifier: Apache-2.0
// The memory and hugetlb controllers of one container root.
#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/read_file.h"
#include "core/base/result.h"
#include "core/base/units.h"
#include "core/cgroup/cgroup.h"
#include "core/cgroup/cgroup_dir.h"
#include "core/cgroup/controller.h"
#include "core/cgroup/hierarchy.h"
#include "core/cgroup/memory.h"

namespace core::cgroup {
namespace {

std::optional<uint64_t> Smaller(std::optional<uint64_t> a, std::optional<uint64_t> b) {
  if (!a) return b;
  return b ? std::min(*a, *b) : a;
}

// "hugetlb.2MB.", as mm/hugetlb_cgroup.c formats sizes.
std::string HugeTlbPrefix(uint64_t size_kib) {
  constexpr uint64_t kKibPerMib = 1024, kKibPerGib = kKibPerMib * 1024;
  if (size_kib >= kKibPerGib) return "hugetlb." + std::to_string(size_kib / kKibPerGib) + "GB.";
  if (size_kib >= kKibPerMib) return "hugetlb." + std::to_string(size_kib / kKibPerMib) + "MB.";
  return "hugetlb." + std::to_string(size_kib) + "KB.";
}

enum class HugeTlbFile : uint8_t { kLimit, kUsage };

// The files of one page size.
struct HugeTlbFiles {
  uint64_t size_kib = 0;
  Version version = Version::kNone;
};

// Of the sizes that nearly all hosts have; they stay open.
struct HeldHugeTlbFiles {
  uint64_t size_kib;
  Version version;
  CgroupFile limit, usage;
};
constexpr uint64_t k2MbInKib = 2048, k1GbInKib = 1048576;
constexpr std::array kHeldHugeTlbFiles = {
    HeldHugeTlbFiles{
        k2MbInKib, Version::kV2, CgroupFile::kHugeTlb2MbMax, CgroupFile::kHugeTlb2MbCurrent},
    HeldHugeTlbFiles{k2MbInKib,
                     Version::kV1,
                     CgroupFile::kHugeTlb2MbLimitInBytes,
                     CgroupFile::kHugeTlb2MbUsageInBytes},
    HeldHugeTlbFiles{
        k1GbInKib, Version::kV2, CgroupFile::kHugeTlb1GbMax, CgroupFile::kHugeTlb1GbCurrent},
    HeldHugeTlbFiles{k1GbInKib,
                     Version::kV1,
                     CgroupFile::kHugeTlb1GbLimitInBytes,
                     CgroupFile::kHugeTlb1GbUsageInBytes},
};

Result<std::string_view> ReadHugeTlbFile(CgroupDir& dir,
                                         const HugeTlbFiles& files,
                                         HugeTlbFile which,
                                         FileBuffer& buffer) {
  const bool is_limit = which == HugeTlbFile::kLimit;
  for (const HeldHugeTlbFiles& held : kHeldHugeTlbFiles) {
    if (held.size_kib != files.size_kib || held.version != files.version) continue;
    return dir.Read(is_limit ? held.limit : held.usage, buffer);
  }
  const bool is_v1 = files.version == Version::kV1;
  const char* const limit = is_v1 ? "limit_in_bytes" : "max";
  const char* const usage = is_v1 ? "usage_in_bytes" : "current";
  const std::string name = HugeTlbPrefix(files.size_kib) + (is_limit ? limit : usage);
  return dir.ReadByName(name.c_str(), buffer);
}

}  // namespace

Result<std::optional<uint64_t>> Cgroup::ReadSmallestLimit(const Chain& chain,
                                                          CgroupFile file,
                                                          FileBuffer& buffer) {
  std::optional<uint64_t> smallest;
  for (const auto& dir : chain) {
    const auto text = dir->Read(file, buffer);
    if (!text) {
      if (IsMissing(text.error())) continue;
      return text.error();
    }
    const auto limit = ParseLimit(*text);
    if (!limit) return limit.error();
    smallest = Smaller(smallest, *limit);
  }
  return smallest;
}

Result<std::optional<Memory>> Cgroup::ReadMemory(FileBuffer& buffer,
                                                 const MemoryOfHost& host) const {
  if (IsRoot(Controller::kMemory)) return std::optional<Memory>();
  auto memory = VersionOf(Controller::kMemory) == Version::kV1
                    ? ReadMemoryV1(buffer)
                    : ReadMemoryV2(buffer, host.has_swap);
  if (!memory) return memory;
  if (std::optional<Memory>& found = *memory) {
    const auto status = ReadHugeTlb(buffer, host.huge_page_kib, *found);
    if (!status) return status.error();
  }
  return memory;
}

// hierarchical_*_limit already are the smallest on the way to the root.
Result<std::optional<Memory>> Cgroup::ReadMemoryV1(FileBuffer& buffer) const {
  CgroupDir& dir = *ChainOf(Controller::kMemory).front();
  Memory memory;
  auto text = dir.Read(CgroupFile::kMemoryUsageInBytes, buffer);
  if (!text) return text.error();
  const auto usage = ParseCount(*text);
  if (!usage) return usage.error();
  memory.usage_bytes = *usage;
  text = dir.Read(CgroupFile::kMemoryStat, buffer);
  if (!text) return text.error();
  const auto stat = ParseMemoryStatV1(*text);
  if (!stat) return stat.error();
  memory.stat = *stat;
  memory.limit_bytes = stat->hierarchical_memory_limit;
  memory.swap_usage_bytes = stat->total_swap;
  const std::optional<uint64_t>& memsw_limit_bytes = stat->hierarchical_memsw_limit;
  if (memsw_limit_bytes && memory.limit_bytes) {
    memory.swap_limit_bytes = SaturatingSub(*memsw_limit_bytes, *memory.limit_bytes);
  }
  // Kernel memory is not in v1's memory.stat; the file went away with some kernels'
  // CONFIG_MEMCG_V1.
  text = dir.Read(CgroupFile::kMemoryKmemUsageInBytes, buffer);
  if (text) {
    const auto kmem = ParseCount(*text);
    if (!kmem) return kmem.error();
    memory.stat.slab_unreclaimable = *kmem;
    memory.stat.slab = *kmem;
  }
  return std::optional(memory);
}

Result<std::optional<Memory>> Cgroup::ReadMemoryV2(FileBuffer& buffer, bool with_swap) const {
  const Chain& chain = ChainOf(Controller::kMemory);
  Memory memory;
  const auto usage = ReadNearestCount(chain, CgroupFile::kMemoryCurrent, buffer);
  if (!usage) return usage.error();
  if (!*usage) return std::optional<Memory>();
  memory.usage_bytes = usage->value_or(0);
  const auto text = ReadNearest(chain, CgroupFile::kMemoryStat, buffer);
  if (!text) return text.error();
  const auto stat = ParseMemoryStatV2(text->value_or(""));
  if (!stat) return stat.error();
  memory.stat = *stat;
  const auto limit = ReadSmallestLimit(chain, CgroupFile::kMemoryMax, buffer);
  if (!limit) return limit.error();
  memory.limit_bytes = *limit;
  if (!with_swap) return std::optional(memory);
  const auto swap_limit = ReadSmallestLimit(chain, CgroupFile::kMemorySwapMax, buffer);
  if (!swap_limit) return swap_limit.error();
  memory.swap_limit_bytes = *swap_limit;
  const auto swap_usage = ReadNearestCount(chain, CgroupFile::kMemorySwapCurrent, buffer);
  if (!swap_usage) return swap_usage.error();
  memory.swap_usage_bytes = swap_usage->value_or(0);
  return std::optional(memory);
}

Status Cgroup::ReadHugeTlb(FileBuffer& buffer, uint64_t huge_page_kib, Memory& memory) const {
  const Version version = VersionOf(Controller::kHugetlb);
  if (huge_page_kib == 0 || IsRoot(Controller::kHugetlb)) return Unit{};
  const HugeTlbFiles files{.size_kib = huge_page_kib, .version = version};
  std::optional<uint64_t> smallest;
  for (const auto& dir : ChainOf(Controller::kHugetlb)) {
    const auto text = ReadHugeTlbFile(*dir, files, HugeTlbFile::kLimit, buffer);
    if (!text) {
      if (IsMissing(text.error())) continue;
      return text.error();
    }
    const auto limit = ParseLimit(*text);
    if (!limit) return limit.error();
    smallest = Smaller(smallest, *limit);
  }
  if (!smallest) return Unit{};
  const auto text =
      ReadHugeTlbFile(*ChainOf(Controller::kHugetlb).front(), files, HugeTlbFile::kUsage, buffer);
  if (!text && !IsMissing(text.error())) return text.error();
  const auto usage = text ? ParseCount(*text) : Result<uint64_t>(uint64_t{0});
  if (!usage) return usage.error();
  memory.hugetlb = HugeTlb{.limit_bytes = *smallest, .usage_bytes = *usage};
  return Unit{};
}

}  // namespace core::cgroup
