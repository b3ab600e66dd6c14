// SPDX-License-Identifier: Apache-2.0
#include "keeper/options.h"

#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace keeper {
namespace {

template <typename T>
bool ParseNumber(std::string_view text, T& number) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stop == end && number >= 0;
}

bool ParseTime(std::string_view text, std::chrono::milliseconds& time) {
  int64_t milliseconds = 0;
  const bool is_number = ParseNumber(text, milliseconds);
  time = std::chrono::milliseconds(milliseconds);
  return is_number;
}

bool ParseFds(std::string_view text, Options& options) {
  for (int& fd : options.fds) {
    const size_t comma = text.find(',');
    if (!ParseNumber(text.substr(0, comma), fd)) return false;
    text = comma == std::string_view::npos ? "" : text.substr(comma + 1);
  }
  return text.empty();
}

bool SetFlag(std::string_view name, Options& options) {
  if (name == "--leave-mounted") return options.leave_mounted = true;
  if (name == "--stacked") return options.is_stacked = true;
  if (name == "--standby") return options.standby = true;
  if (name == "--triggers") return options.takes_triggers = true;
  if (name == "--unfiltered") return !(options.is_filtered = false);
  return false;
}

bool SetValue(std::string_view name, std::string_view value, Options& options) {
  if (name == "--fds") return ParseFds(value, options);
  if (name == "--predecessor") return ParseNumber(value, options.predecessor_fd);
  if (name == "--predecessor-worker") return ParseNumber(value, options.predecessor_worker);
  if (name == "--deaths") return ParseNumber(value, options.deaths_max);
  if (name == "--window-ms") return ParseTime(value, options.death_window);
  if (name == "--outlive-ms") return ParseTime(value, options.outlive.emplace());
  if (name == "--cgroup") {
    options.cgroups.emplace_back(value);
    return true;
  }
  std::string* text = nullptr;
  if (name == "--tree") text = &options.tree;
  if (name == "--run-dir") text = &options.run_dir;
  if (name == "--proc") text = &options.native.proc;
  if (name == "--preload") text = &options.preload;
  if (name == "--sys") text = &options.native.sys;
  if (text == nullptr) return false;
  *text = value;
  return true;
}

}  // namespace

std::optional<Options> ParseOptions(std::span<char* const> args) {
  Options options;
  size_t index = 0;
  for (; index < args.size() && std::string_view(args[index]) != "--"; ++index) {
    if (SetFlag(args[index], options)) continue;
    if (index + 1 == args.size()) return std::nullopt;
    if (!SetValue(args[index], args[index + 1], options)) return std::nullopt;
    ++index;
  }
  if (index < args.size()) ++index;
  options.worker.assign(args.begin() + static_cast<ptrdiff_t>(index), args.end());
  if (options.tree.empty() || options.run_dir.empty() || options.worker.empty()) {
    return std::nullopt;
  }
  options.worker.push_back(nullptr);
  return options;
}

}  // namespace keeper
