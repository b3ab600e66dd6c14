// SPDX-License-Identifier: Apache-2.0
#include "core/base/cpu_set.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

#include "core/base/result.h"
#include "core/base/text.h"
#include "core/base/write_text.h"

namespace core {
namespace {

constexpr uint32_t kBitsPerGroup = 32;

std::optional<uint32_t> ParseCpuNumber(std::string_view text) {
  const auto number = ParseU64(text);
  if (!number || *number >= CpuSet::kMaxCpus) return std::nullopt;
  return static_cast<uint32_t>(*number);
}

// The 32 members from `group` * 32 on, as bits.
uint32_t GroupOf(const CpuSet& set, uint32_t group) {
  uint32_t bits = 0;
  for (uint32_t bit = 0; bit < kBitsPerGroup; ++bit) {
    if (set.Contains(group * kBitsPerGroup + bit)) bits |= uint32_t{1} << bit;
  }
  return bits;
}

void PutHex(uint32_t value, uint32_t digits, TextWriter& out) {
  for (uint32_t digit = digits; digit-- > 0;) {
    out.Put("0123456789abcdef"[value >> (digit * 4) & 0xf]);
  }
}

}  // namespace

uint32_t CpuSet::Next(uint32_t from) const {
  for (uint32_t word = from / 64; word < words_.size(); ++word) {
    uint64_t bits = words_[word];
    if (word == from / 64) bits &= ~uint64_t{0} << (from % 64);
    if (bits != 0) return word * 64 + static_cast<uint32_t>(std::countr_zero(bits));
  }
  return kMaxCpus;
}

CpuSet CpuSet::Intersect(const CpuSet& other) const {
  CpuSet both;
  for (size_t word = 0; word < words_.size(); ++word) {
    both.words_[word] = words_[word] & other.words_[word];
  }
  return both;
}

CpuSet CpuSet::Lowest(uint32_t count) const {
  CpuSet lowest;
  for (uint32_t cpu = Next(0); cpu < kMaxCpus && count > 0; cpu = Next(cpu + 1), --count) {
    lowest.Add(cpu);
  }
  return lowest;
}

uint32_t CpuSet::RankOf(uint32_t cpu) const {
  uint32_t rank = 0;
  const uint32_t last_word = std::min(cpu, kMaxCpus - 1) / 64;
  for (uint32_t word = 0; word < last_word; ++word) {
    rank += static_cast<uint32_t>(std::popcount(words_[word]));
  }
  const uint64_t below = (uint64_t{1} << (cpu % 64)) - 1;
  return rank + static_cast<uint32_t>(std::popcount(words_[last_word] & below));
}

Result<CpuSet> ParseCpuList(std::string_view text) {
  CpuSet set;
  text = Trim(text);
  while (!text.empty()) {
    std::string_view last = TakeUntil(text, ',');
    const bool is_range = last.find('-') != std::string_view::npos;
    const auto begin = ParseCpuNumber(is_range ? TakeUntil(last, '-') : last);
    const auto end = is_range ? ParseCpuNumber(last) : begin;
    if (!begin || !end || *begin > *end) return ParseErrorAt(1);
    for (uint32_t cpu = *begin; cpu <= *end; ++cpu) set.Add(cpu);
  }
  return set;
}

void WriteCpuList(const CpuSet& set, TextWriter& out) {
  bool first = true;
  for (uint32_t begin = set.Next(0); begin < CpuSet::kMaxCpus;) {
    uint32_t end = begin;
    while (set.Contains(end + 1)) ++end;
    if (!first) out.Put(',');
    first = false;
    out.PutU64(begin);
    if (end > begin) out.Put('-').PutU64(end);
    begin = set.Next(end + 1);
  }
}

void WriteCpuMask(const CpuSet& set, uint32_t bits, TextWriter& out) {
  const uint32_t groups = std::max(uint32_t{1}, (bits + kBitsPerGroup - 1) / kBitsPerGroup);
  const uint32_t first_bits = bits % kBitsPerGroup == 0 ? kBitsPerGroup : bits % kBitsPerGroup;
  for (uint32_t group = groups; group-- > 0;) {
    PutHex(GroupOf(set, group), group == groups - 1 ? (first_bits + 3) / 4 : 8, out);
    if (group > 0) out.Put(',');
  }
}

Result<CpuSet> ParseCpuMask(std::string_view text) {
  CpuSet set;
  text = Trim(text);
  if (text.empty()) return ParseErrorAt(1);
  const auto groups = static_cast<uint32_t>(std::count(text.begin(), text.end(), ',') + 1);
  for (uint32_t group = groups; group-- > 0;) {
    const std::string_view word = TakeUntil(text, ',');
    uint32_t bits = 0;
    const char* const end = word.data() + word.size();
    const auto [stop, status] = std::from_chars(word.data(), end, bits, 16);
    if (status != std::errc() || stop != end || word.empty()) return ParseErrorAt(1);
    for (uint32_t bit = 0; bit < kBitsPerGroup; ++bit) {
      if ((bits >> bit & 1) != 0) set.Add(group * kBitsPerGroup + bit);
    }
  }
  return set;
}

}  // namespace core
