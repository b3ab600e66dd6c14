// SPDX-License-Identifier: Apache-2.0
#include "core/proc/stat.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/key_table.h"
#include "core/base/result.h"
#include "core/base/text.h"

namespace core::proc {
namespace {

constexpr std::array kCpuColumns{&Stat::user,
                                 &Stat::nice,
                                 &Stat::system,
                                 &Stat::idle,
                                 &Stat::iowait,
                                 &Stat::irq,
                                 &Stat::softirq_time,
                                 &Stat::steal,
                                 &Stat::guest,
                                 &Stat::guest_nice};

struct Field {
  std::string_view key;
  uint64_t Stat::* member = nullptr;  // null: the cpu line
};

constexpr std::array kFields{
    Field{"cpu", nullptr},
    Field{"intr", &Stat::intr},
    Field{"ctxt", &Stat::ctxt},
    Field{"btime", &Stat::btime},
    Field{"processes", &Stat::processes},
    Field{"procs_running", &Stat::procs_running},
    Field{"procs_blocked", &Stat::procs_blocked},
    Field{"softirq", &Stat::softirq},
};

// Kernels before 2.6.33 print fewer than ten columns.
bool ParseCpuLine(std::string_view text, Stat& stat) {
  bool any = false;
  for (const auto column : kCpuColumns) {
    const std::string_view word = TakeWord(text);
    if (word.empty()) break;
    const auto value = ParseU64(word);
    if (!value) return false;
    stat.*column = *value;
    any = true;
  }
  return any;
}

// Behind the total. Kinds beyond those that there is room for are left out.
bool ParseSoftirqs(std::string_view text, Stat& stat) {
  while (stat.softirq_kinds < Stat::kSoftirqsMax) {
    const std::string_view word = TakeWord(text);
    if (word.empty()) return true;
    const auto value = ParseU64(word);
    if (!value) return false;
    stat.softirqs[stat.softirq_kinds++] = *value;
  }
  return true;
}

bool ParseField(const Field& field, std::string_view text, Stat& stat) {
  if (field.member == nullptr) return ParseCpuLine(text, stat);
  const auto value = ParseU64(TakeWord(text));
  if (!value) return false;
  stat.*field.member = *value;
  return field.member != &Stat::softirq || ParseSoftirqs(text, stat);
}

}  // namespace

Result<Stat> ParseStat(std::string_view text) {
  Stat stat;
  KeyFinder<Field> fields(kFields);
  for (int number = 1; !text.empty(); ++number) {
    std::string_view line = TakeLine(text);
    const Field* const field = fields.Find(TakeUntil(line, ' '));
    if (field != nullptr && !ParseField(*field, line, stat)) return ParseErrorAt(number);
  }
  return stat;
}

std::string ShiftBoot(std::string_view text, int64_t offset_sec) {
  constexpr std::string_view kKey = "\nbtime ";
  const size_t key = text.find(kKey);
  if (key == std::string_view::npos) return std::string(text);
  const size_t begin = key + kKey.size();
  const size_t end = std::min(text.find('\n', begin), text.size());
  const auto btime = ParseI64(text.substr(begin, end - begin));
  if (!btime) return std::string(text);
  std::string shifted(text.substr(0, begin));
  shifted.append(std::to_string(*btime - offset_sec)).append(text.substr(end));
  return shifted;
}

}  // namespace core::proc
