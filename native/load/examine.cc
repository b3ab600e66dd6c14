// SPDX-License-Identifier: Apache-2.0
#include "load/examine.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/text.h"

namespace load {
namespace {

using core::ParseI64;
using core::ParseU64;
using core::TakeLine;
using core::TakeUntil;
using core::TakeWord;

bool IsEmpty(std::string_view line) {
  return TakeWord(line).empty();
}

// "12.34" as 1234.
std::optional<uint64_t> ParseHundredths(std::string_view word) {
  const auto whole = ParseU64(TakeUntil(word, '.'));
  const auto rest = ParseU64(word);
  if (!whole || !rest || word.size() != 2) return std::nullopt;
  return *whole * 100 + *rest;
}

// All words of a line; nullopt when one is no number.
std::optional<std::vector<uint64_t>> ParseNumbers(std::string_view line) {
  std::vector<uint64_t> numbers;
  for (auto word = TakeWord(line); !word.empty(); word = TakeWord(line)) {
    const auto number = ParseU64(word);
    if (!number) return std::nullopt;
    numbers.push_back(*number);
  }
  return numbers;
}

struct MemInfoValues {
  uint64_t mem_total = 0, mem_free = 0, mem_available = 0, swap_total = 0;
  std::optional<uint64_t> commit_limit;
};

// "MemTotal:       24684084 kB"
std::optional<uint64_t> ParseMemInfoLine(std::string_view line) {
  const auto value = ParseU64(TakeWord(line));
  const std::string_view unit = TakeWord(line);
  const bool is_good = (unit.empty() || unit == "kB") && IsEmpty(line);
  return is_good ? value : std::nullopt;
}

Facts ExamineMemInfo(std::string_view text, uint64_t overcommit_ratio) {
  constexpr std::array<std::string_view, 3> kFirst{"MemTotal:", "MemFree:", "MemAvailable:"};
  Facts facts;
  MemInfoValues values;
  const std::array<std::pair<std::string_view, uint64_t*>, 4> wanted{{
      {"MemTotal:", &values.mem_total},
      {"MemFree:", &values.mem_free},
      {"MemAvailable:", &values.mem_available},
      {"SwapTotal:", &values.swap_total},
  }};
  for (size_t line_number = 0; !text.empty(); ++line_number) {
    std::string_view line = TakeLine(text);
    const std::string_view label = TakeWord(line);
    const auto value = ParseMemInfoLine(line);
    if (!value || !label.ends_with(':')) return facts;
    if (line_number < kFirst.size() && label != kFirst[line_number]) return facts;
    for (const auto& [name, member] : wanted) {
      if (label == name) *member = *value;
    }
    if (label == "CommitLimit:") values.commit_limit = value;
  }
  facts.parses = values.commit_limit.has_value();
  facts.fits = values.mem_free <= values.mem_total && values.mem_available <= values.mem_total &&
               values.commit_limit.value_or(0) ==
                   values.swap_total + values.mem_total * overcommit_ratio / 100;
  return facts;
}

// "cpu  1 2 3 4 5 6 7 8 9 10", then the same for each CPU, then one line for each key.
Facts ExamineStat(std::string_view text) {
  constexpr std::array<std::string_view, 7> kKeys{
      "intr", "ctxt", "btime", "processes", "procs_running", "procs_blocked", "softirq"};
  constexpr size_t kColumns = 10;
  Facts facts;
  size_t cpus = 0;
  size_t next_key = 0;
  while (!text.empty()) {
    std::string_view line = TakeLine(text);
    const std::string_view key = TakeWord(line);
    const auto numbers = ParseNumbers(line);
    if (!numbers || numbers->empty()) return facts;
    if (key.starts_with("cpu")) {
      if (next_key != 0 || numbers->size() != kColumns || (cpus == 0) != (key == "cpu")) {
        return facts;
      }
      ++cpus;
      facts.counters.insert(facts.counters.end(), numbers->begin(), numbers->end());
      continue;
    }
    if (next_key == kKeys.size() || key != kKeys[next_key++]) return facts;
    if (key == "ctxt") facts.key = numbers->front();
    if (!key.starts_with("procs_")) facts.counters.push_back(numbers->front());
  }
  facts.parses = cpus > 1 && next_key == kKeys.size();
  return facts;
}

// "0.00 0.01 0.05 1/23 456"
Facts ExamineLoadAverage(std::string_view text) {
  Facts facts;
  std::string_view line = TakeLine(text);
  for (int index = 0; index < 3; ++index) {
    if (!ParseHundredths(TakeWord(line))) return facts;
  }
  std::string_view tasks = TakeWord(line);
  const auto running = ParseU64(TakeUntil(tasks, '/'));
  const auto total = ParseU64(tasks);
  const auto last_pid = ParseU64(TakeWord(line));
  facts.parses = running && total && last_pid && IsEmpty(line) && text.empty();
  facts.fits = running.value_or(0) <= total.value_or(0);
  return facts;
}

// "12.34 56.78"
Facts ExamineUptime(std::string_view text) {
  Facts facts;
  std::string_view line = TakeLine(text);
  const auto uptime = ParseHundredths(TakeWord(line));
  const auto idle = ParseHundredths(TakeWord(line));
  facts.parses = uptime && idle && IsEmpty(line) && text.empty();
  facts.counters = {uptime.value_or(0), idle.value_or(0)};
  return facts;
}

// The header, and "none virtual 1024 0 0" when there is swap.
Facts ExamineSwaps(std::string_view text) {
  Facts facts;
  std::string_view header = TakeLine(text);
  for (const char* const word : {"Filename", "Type", "Size", "Used", "Priority"}) {
    if (TakeWord(header) != word) return facts;
  }
  facts.parses = IsEmpty(header);
  while (!text.empty()) {
    std::string_view line = TakeLine(text);
    const bool has_name = !TakeWord(line).empty() && !TakeWord(line).empty();
    const auto size = ParseU64(TakeWord(line));
    const auto used = ParseU64(TakeWord(line));
    const auto priority = ParseI64(TakeWord(line));
    facts.parses = facts.parses && has_name && size && used && priority && IsEmpty(line);
    facts.fits = facts.fits && used.value_or(0) <= size.value_or(0);
  }
  return facts;
}

}  // namespace

std::optional<Kind> KindOf(std::string_view path) {
  constexpr std::array<std::pair<std::string_view, Kind>, 5> kKinds{{
      {"meminfo", Kind::kMemInfo},
      {"stat", Kind::kStat},
      {"loadavg", Kind::kLoadAverage},
      {"uptime", Kind::kUptime},
      {"swaps", Kind::kSwaps},
  }};
  const std::string_view name = path.substr(path.rfind('/') + 1);
  for (const auto& [known, kind] : kKinds) {
    if (name == known) return kind;
  }
  return std::nullopt;
}

Facts Examine(Kind kind, std::string_view text, uint64_t overcommit_ratio) {
  switch (kind) {
    case Kind::kMemInfo:
      return ExamineMemInfo(text, overcommit_ratio);
    case Kind::kStat:
      return ExamineStat(text);
    case Kind::kLoadAverage:
      return ExamineLoadAverage(text);
    case Kind::kUptime:
      return ExamineUptime(text);
    case Kind::kSwaps:
      return ExamineSwaps(text);
  }
  return {};
}

}  // namespace load
