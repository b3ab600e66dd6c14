// SPDX-License-Identifier: Apache-2.0
#include "attach/registry.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "attach/file_set.h"
#include "core/base/read_file.h"
#include "core/base/text.h"

namespace attach {
namespace {

// More than one, as any of them may end before the container does.
constexpr size_t kProcessesMax = 8;
// In /proc/<pid>/stat, counted from the state.
constexpr int kStartField = 19;

uint64_t SpaceOf(const std::string& pid) {
  struct stat status{};
  return stat(("/proc/" + pid + "/ns/mnt").c_str(), &status) == 0 ? status.st_ino : 0;
}

std::optional<uint64_t> StartOf(const std::string& pid) {
  core::FileBuffer buffer(1024);
  const auto text = core::ReadFileAt(AT_FDCWD, ("/proc/" + pid + "/stat").c_str(), buffer);
  if (!text) return std::nullopt;
  // The name before it may have blanks and parentheses.
  const size_t end = text->rfind(") ");
  if (end == std::string_view::npos) return std::nullopt;
  std::string_view fields = text->substr(end + 2);
  for (int field = 0; field < kStartField; ++field) (void)core::TakeUntil(fields, ' ');
  return core::ParseU64(core::TakeUntil(fields, ' '));
}

// The first process of a pid namespace: a container's cgroup is its own.
bool IsFirst(const std::string& pid) {
  core::FileBuffer buffer(4096);
  const auto text = core::ReadFileAt(AT_FDCWD, ("/proc/" + pid + "/status").c_str(), buffer);
  if (!text) return false;
  constexpr std::string_view kKey = "\nNSpid:";
  const size_t at = text->find(kKey);
  if (at == std::string_view::npos) return false;
  std::string_view numbers = text->substr(at + kKey.size());
  return core::TakeLine(numbers).ends_with("\t1");
}

}  // namespace

std::vector<Holder> ListHolders() {
  std::vector<Holder> holders;
  std::unordered_map<uint64_t, size_t> known;
  const uint64_t own = SpaceOf("self");
  DIR* const processes = opendir("/proc");
  if (processes == nullptr) return holders;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): this stream is ours alone.
  while (const dirent* entry = readdir(processes)) {
    const auto number = core::ParseU64(entry->d_name);
    if (!number) continue;
    const std::string name = entry->d_name;
    const uint64_t space = SpaceOf(name);
    if (space == 0 || space == own) continue;
    const auto [place, is_new] = known.emplace(space, holders.size());
    if (is_new) holders.push_back({.space = space, .pids = {}});
    auto& pids = holders[place->second].pids;
    const auto pid = static_cast<pid_t>(*number);
    if (IsFirst(name)) {
      pids.insert(pids.begin(), pid);
    } else {
      pids.push_back(pid);
    }
    if (pids.size() > kProcessesMax) pids.pop_back();
  }
  closedir(processes);
  return holders;
}

std::string FormatHolder(const Holder& holder) {
  std::string line = std::to_string(holder.space);
  char before = ' ';
  for (const pid_t pid : holder.pids) {
    const auto start = StartOf(std::to_string(pid));
    if (!start) continue;
    line += before + std::to_string(pid) + ":" + std::to_string(*start);
    before = ',';
  }
  return line;
}

std::string FormatFiles(const FileSet& files) {
  std::string line;
  for (size_t index = 0; index < kItems.size(); ++index) {
    if (files.test(index)) line.append(" ").append(kItems[index].path);
  }
  return line + "\n";
}

std::vector<Withdrawn> ParseWithdrawn(std::string_view text) {
  std::vector<Withdrawn> containers;
  while (!text.empty()) {
    std::string_view line = core::TakeLine(text);
    const auto space = core::ParseU64(core::TakeUntil(line, ' '));
    Withdrawn container{.space = space.value_or(0),
                        .processes = std::string(core::TakeUntil(line, ' ')),
                        .files = {}};
    while (!line.empty()) {
      const auto* const item = std::ranges::find(kItems, core::TakeUntil(line, ' '), &Item::path);
      if (item != kItems.end()) container.files.set(static_cast<size_t>(item - kItems.begin()));
    }
    if (space) containers.push_back(std::move(container));
  }
  return containers;
}

std::optional<pid_t> FindProcess(const Withdrawn& container) {
  std::string_view processes = container.processes;
  while (!processes.empty()) {
    std::string_view process = core::TakeUntil(processes, ',');
    const std::string pid(core::TakeUntil(process, ':'));
    const auto number = core::ParseU64(pid);
    const auto start = core::ParseU64(process);
    if (!number || !start || StartOf(pid) != start || SpaceOf(pid) != container.space) continue;
    return static_cast<pid_t>(*number);
  }
  return std::nullopt;
}

}  // namespace attach
