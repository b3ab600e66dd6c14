// SPDX-License-Identifier: Apache-2.0
#include "hook/runtime_call.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hook/command_line.h"
#include "hook/report.h"

namespace hook {
namespace {

// Global options whose value may be the next word, with one dash or two.
constexpr std::array<std::string_view, 8> kGlobalValues = {
    "cgroup-manager", "criu", "log", "log-format", "log-level", "root", "rootless", "debug-log"};
// The same after "create" or "run"; those of one letter have one dash.
constexpr std::array<std::string_view, 8> kCommandValues = {
    "bundle", "b", "config", "f", "console-socket", "pid-file", "preserve-fds", "log"};
constexpr std::array<std::string_view, 4> kPassedOn = {"files", "tree", "run-dir", "log"};

// "--bundle=/b" has the name "bundle" and a value; "--bundle" and "-bundle" have none.
struct Flag {
  std::string_view name;
  std::optional<std::string_view> value;
};

std::optional<Flag> ParseFlag(std::string_view word) {
  if (word.size() < 2 || word.front() != '-' || word == "--") return std::nullopt;
  word.remove_prefix(word.starts_with("--") ? 2 : 1);
  const auto equals = word.find('=');
  if (equals == std::string_view::npos) return Flag{.name = word, .value = std::nullopt};
  return Flag{.name = word.substr(0, equals), .value = word.substr(equals + 1)};
}

// Takes what is ours; gives whether it was.
bool TakeOwn(std::span<char* const> args, size_t& at, RuntimeOptions& options) {
  if (auto runtime = TakeOption(args, at, "--lensfs-runtime")) {
    options.runtime = *runtime;
    return true;
  }
  if (auto hook = TakeOption(args, at, "--lensfs-hook")) {
    options.hook = *hook;
    return true;
  }
  if (std::string_view(args[at]) == "--lensfs-strict") {
    options.passed.emplace_back("--strict");
    return true;
  }
  for (const std::string_view name : kPassedOn) {
    const std::string ours = "--lensfs-" + std::string(name);
    if (auto value = TakeOption(args, at, ours)) {
      options.passed.push_back("--" + std::string(name) + "=" + *value);
      return true;
    }
  }
  return false;
}

// Reads flags from `at` on, up to the first word that is none; `visit` gets each with its value.
template <size_t kCount, typename Visit>
void ReadFlags(const std::vector<std::string>& words,
               size_t& at,
               const std::array<std::string_view, kCount>& with_value,
               const Visit& visit) {
  for (; at < words.size(); ++at) {
    auto flag = ParseFlag(words[at]);
    if (!flag) return;
    const bool takes_next =
        !flag->value && std::ranges::find(with_value, flag->name) != with_value.end();
    if (takes_next && at + 1 < words.size()) flag->value = words[++at];
    visit(flag->name, flag->value.value_or(""));
  }
}

std::string Join(std::string_view directory, std::string_view file) {
  if (file.starts_with('/') || directory.empty()) return std::string(file);
  return std::string(directory) + "/" + std::string(file);
}

}  // namespace

RuntimeCall ParseRuntimeCall(std::span<char* const> args) {
  RuntimeCall call;
  call.log.program = "lensfs-runtime";
  for (size_t at = 0; at < args.size(); ++at) {
    if (!TakeOwn(args, at, call.options)) call.args.emplace_back(args[at]);
  }
  size_t at = 0;
  ReadFlags(call.args, at, kGlobalValues, [&](std::string_view name, std::string_view value) {
    if (name == "log") call.log.file = value;
    if (name == "log-format" && value == "json") call.log.format = LogFormat::kJson;
  });
  if (at >= call.args.size() || (call.args[at] != "create" && call.args[at] != "run")) return call;
  std::string bundle;
  std::string file = "config.json";
  // crun takes options after the id as well.
  for (++at; at < call.args.size(); ++at) {
    ReadFlags(call.args, at, kCommandValues, [&](std::string_view name, std::string_view value) {
      if (name == "bundle" || name == "b") bundle = value;
      if (name == "config" || name == "f") file = value;
    });
    if (at < call.args.size() && call.args[at] == "--") break;
  }
  call.config = Join(bundle, file);
  return call;
}

}  // namespace hook
