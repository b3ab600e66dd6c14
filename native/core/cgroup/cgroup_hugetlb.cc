// SPDX-License-Identifier: Apache-2.0
// The hugetlb controller of one container root.
#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/read_file.h"
#include "core/base/result.h"
#include "core/cgroup/cgroup.h"
#include "core/cgroup/cgroup_dir.h"
#include "core/cgroup/controller.h"
#include "core/cgroup/hierarchy.h"
#include "core/cgroup/memory.h"

namespace core::cgroup {
namespace {

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
    if (*limit) smallest = std::min(smallest.value_or(UINT64_MAX), **limit);
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
