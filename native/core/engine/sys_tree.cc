// SPDX-License-Identifier: Apache-2.0
#include "core/engine/sys_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/cpu_set.h"
#include "core/base/read_file.h"
#include "core/base/result.h"
#include "core/base/text.h"
#include "core/base/write_text.h"
#include "core/model/visible_cpus.h"

namespace core::engine {
namespace {

enum class SysText : uint8_t { kHosts, kList, kMask, kWords, kOnline };

struct TextRule {
  std::string_view name;
  SysText text;
};

// Files that name CPUs. Files called "*_list" are lists too.
constexpr std::array kTextRules = {
    TextRule{"isolated", SysText::kList},
    TextRule{"nohz_full", SysText::kList},
    TextRule{"enabled", SysText::kList},
    TextRule{"core_cpus", SysText::kMask},
    TextRule{"core_siblings", SysText::kMask},
    TextRule{"thread_siblings", SysText::kMask},
    TextRule{"cluster_cpus", SysText::kMask},
    TextRule{"die_cpus", SysText::kMask},
    TextRule{"package_cpus", SysText::kMask},
    TextRule{"book_siblings", SysText::kMask},
    TextRule{"drawer_siblings", SysText::kMask},
    TextRule{"shared_cpu_map", SysText::kMask},
    TextRule{"affected_cpus", SysText::kWords},
    TextRule{"freqdomain_cpus", SysText::kWords},
    TextRule{"related_cpus", SysText::kWords},
};

constexpr std::string_view kPolicies = "cpufreq/policy";
constexpr size_t kRelatedBytes = 256;

std::string_view BaseName(std::string_view path) {
  return path.substr(path.find_last_of('/') + 1);  // npos + 1 is 0
}

SysText TextOf(std::string_view path) {
  const std::string_view name = BaseName(path);
  if (SysTree::IsPerCpu(path) && name == "online") return SysText::kOnline;
  if (name.ends_with("_list")) return SysText::kList;
  const auto* const rule = std::ranges::find(kTextRules, name, &TextRule::name);
  return rule == kTextRules.end() ? SysText::kHosts : rule->text;
}

// The number of a directory called "cpu<N>"; nullopt for other names (cpufreq, cpuidle, cpu_foo).
std::optional<uint32_t> CpuNumberOf(std::string_view name) {
  if (!name.starts_with("cpu")) return std::nullopt;
  const auto number = ParseU64(name.substr(3));
  if (!number || *number >= CpuSet::kMaxCpus) return std::nullopt;
  return static_cast<uint32_t>(*number);
}

std::string_view FirstOf(std::string_view path) {
  return path.substr(0, path.find('/'));
}

// The beginning of `path` that is the directory of a frequency policy; "" for other paths.
std::string_view PolicyOf(std::string_view path) {
  if (!path.starts_with(kPolicies)) return "";
  const std::string_view number = FirstOf(path.substr(kPolicies.size()));
  return ParseU64(number) ? path.substr(0, kPolicies.size() + number.size()) : "";
}

// How many CPUs a mask's text has room for.
uint32_t BitsOfMask(std::string_view text) {
  text = Trim(text);
  const auto groups = static_cast<uint32_t>(std::ranges::count(text, ','));
  const auto first_digits = static_cast<uint32_t>(text.substr(0, text.find(',')).size());
  return groups * 32 + first_digits * 4;
}

Result<CpuSet> ParseCpuWords(std::string_view text) {
  CpuSet set;
  text = Trim(text);
  for (auto word = TakeWord(text); !word.empty(); word = TakeWord(text)) {
    const auto cpu = ParseU64(word);
    if (!cpu || *cpu >= CpuSet::kMaxCpus) return ParseErrorAt(1);
    set.Add(static_cast<uint32_t>(*cpu));
  }
  return set;
}

void WriteCpuWords(const CpuSet& set, TextWriter& out) {
  const uint32_t first = set.Next(0);
  for (uint32_t cpu = first; cpu < CpuSet::kMaxCpus; cpu = set.Next(cpu + 1)) {
    if (cpu != first) out.Put(' ');
    out.PutU64(cpu);
  }
}

Status WriteShown(SysText kind,
                  std::string_view text,
                  const model::VisibleCpus& cpus,
                  TextWriter& out) {
  // isolated and nohz_full say "(null)" or nothing where there are none.
  const auto set = kind == SysText::kMask    ? ParseCpuMask(text)
                   : kind == SysText::kWords ? ParseCpuWords(text)
                                             : ParseCpuList(text);
  if (!set) {
    out.Put(text);
    return Unit{};
  }
  const CpuSet shown = cpus.ShownOf(*set);
  if (kind == SysText::kMask) {
    WriteCpuMask(shown, BitsOfMask(text), out);
  } else if (kind == SysText::kWords) {
    WriteCpuWords(shown, out);
  } else {
    WriteCpuList(shown, out);
  }
  out.Put('\n');
  return Unit{};
}

}  // namespace

std::optional<std::string> SysTree::ChildPath(std::string_view path,
                                              std::string_view name,
                                              const model::VisibleCpus& cpus) {
  if (!path.empty()) return std::string(path).append("/").append(name);
  const auto shown = CpuNumberOf(name);
  if (!shown) return std::string(name);
  for (uint32_t cpu = cpus.physical.Next(0); cpu < CpuSet::kMaxCpus;
       cpu = cpus.physical.Next(cpu + 1)) {
    if (cpus.ShownNumber(cpu) == *shown) return "cpu" + std::to_string(cpu);
  }
  return std::nullopt;
}

bool SysTree::IsPerCpu(std::string_view path) {
  return CpuNumberOf(FirstOf(path)).has_value();
}

bool SysTree::IsPolicy(std::string_view path) {
  return !path.empty() && PolicyOf(path) == path;
}

bool SysTree::IsVisible(std::string_view path, const model::VisibleCpus& cpus) const {
  const auto cpu = CpuNumberOf(FirstOf(path));
  if (cpu) return cpus.physical.Contains(*cpu);
  const std::string_view policy = PolicyOf(path);
  if (policy.empty()) return true;
  FileBuffer buffer(kRelatedBytes);
  const auto text = ReadFileAt(root_, std::string(policy).append("/related_cpus").c_str(), buffer);
  const auto related = text ? ParseCpuWords(*text) : Result<CpuSet>(text.error());
  // A driver that does not tell has none that could be cut.
  return !related || !cpus.ShownOf(*related).IsEmpty();
}

Result<struct stat> SysTree::Stat(const std::string& path) const {
  struct stat status{};
  const char* const name = path.empty() ? "." : path.c_str();
  if (fstatat(root_, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return SystemError("stat", path);
  return status;
}

Result<std::string> SysTree::ReadLink(const std::string& path) const {
  std::array<char, 4096> target{};
  const ssize_t size = readlinkat(root_, path.c_str(), target.data(), target.size());
  if (size < 0) return SystemError("readlink", path);
  return std::string(target.data(), static_cast<size_t>(size));
}

Result<std::vector<SysEntry>> SysTree::List(const std::string& path,
                                            const model::VisibleCpus& cpus) const {
  const char* const name = path.empty() ? "." : path.c_str();
  const int fd = openat(root_, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* const dir = fd < 0 ? nullptr : fdopendir(fd);
  if (dir == nullptr) return SystemError("open", path);
  std::vector<SysEntry> entries;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): this stream is ours alone.
  while (const dirent* entry = readdir(dir)) {
    const std::string_view host_name = entry->d_name;
    if (host_name == "." || host_name == "..") continue;
    SysEntry found{.name = std::string(host_name),
                   .path = path.empty() ? std::string(host_name)
                                        : std::string(path).append("/").append(host_name),
                   .type = entry->d_type};
    const auto cpu = path.empty() ? CpuNumberOf(host_name) : std::nullopt;
    if (cpu && !cpus.physical.Contains(*cpu)) continue;
    if (IsPolicy(found.path) && !IsVisible(found.path, cpus)) continue;
    if (cpu) found.name = "cpu" + std::to_string(cpus.ShownNumber(*cpu));
    entries.push_back(std::move(found));
  }
  closedir(dir);
  return entries;
}

Status SysTree::Read(const std::string& path,
                     const model::VisibleCpus& cpus,
                     FileBuffer& buffer,
                     std::string& out) const {
  const auto text = ReadFileAt(root_, path.c_str(), buffer);
  if (!text) return text.error();
  TextWriter writer(out);
  const SysText kind = TextOf(path);
  if (kind == SysText::kHosts) {
    writer.Put(*text);
    return Unit{};
  }
  if (kind == SysText::kOnline) {
    writer.Put("1\n");
    return Unit{};
  }
  return WriteShown(kind, *text, cpus, writer);
}

}  // namespace core::engine
