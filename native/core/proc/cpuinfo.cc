// SPDX-License-Identifier: Apache-2.0
#include "core/proc/cpuinfo.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/key_table.h"
#include "core/base/result.h"
#include "core/base/text.h"

namespace core::proc {
namespace {

constexpr std::string_view kProcessor = "processor";
constexpr std::string_view kS390Section = "cpu number";

struct Field {
  std::string_view key;
  std::string_view CpuInfoBlock::* member = nullptr;
};

constexpr std::array kFields{
    Field{"physical id", &CpuInfoBlock::physical_id},
    Field{"siblings", &CpuInfoBlock::siblings},
    Field{"core id", &CpuInfoBlock::core_id},
    Field{"cpu cores", &CpuInfoBlock::cpu_cores},
};

// The first letters of kFields: most lines need no search.
constexpr bool MayBeField(std::string_view line) {
  return !line.empty() && (line[0] == 'p' || line[0] == 's' || line[0] == 'c');
}

// A number that is written in `text`, which is kept so that it can be replaced.
struct Number {
  uint32_t value = 0;
  std::string_view text;
};

std::optional<Number> ParseNumber(std::string_view text) {
  text = Trim(text);
  const auto value = ParseU64(text);
  if (!value || *value > std::numeric_limits<uint32_t>::max()) return std::nullopt;
  return Number{.value = static_cast<uint32_t>(*value), .text = text};
}

// "physical id\t: 0" -> "physical id", "0"
struct KeyValue {
  std::string_view key, value;
};

KeyValue SplitLine(std::string_view line) {
  const std::string_view key = TakeUntil(line, ':');
  return {.key = Trim(key), .value = Trim(line)};
}

// What a line is in the list of CPUs.
struct Start {
  bool is_cpu = false;      // starts a CPU
  bool is_s390 = false;     // "processor 0: version = FF,  identification = ..."
  bool is_section = false;  // "cpu number      : 0"
  std::optional<Number> number;
};

Start ReadStart(std::string_view line) {
  if (!line.starts_with(kProcessor) && !line.starts_with(kS390Section)) return {};
  std::string_view rest = line;
  const std::string_view key = Trim(TakeUntil(rest, ':'));
  if (key == kProcessor) return {.is_cpu = true, .number = ParseNumber(rest)};
  if (key == kS390Section) return {.is_section = true, .number = ParseNumber(rest)};
  std::string_view inner = key;
  if (TakeWord(inner) != kProcessor) return {};
  return {.is_cpu = true, .is_s390 = true, .number = ParseNumber(inner)};
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<CpuInfo> Run() {
    std::string_view rest = text_;
    for (int number = 1; !rest.empty(); ++number) {
      const size_t begin = text_.size() - rest.size();
      const std::string_view line = TakeLine(rest);
      if (!TakeOne(line, begin, text_.size() - rest.size())) return ParseErrorAt(number);
    }
    if (has_cpu_) {
      info_.tail = text_.substr(end_);
    } else {
      info_.head = text_;
    }
    return std::move(info_);
  }

 private:
  // `begin` and `end` of the line in text_, its newline included. False for a bad number.
  bool TakeOne(std::string_view line, size_t begin, size_t end) {
    const Start start = ReadStart(line);
    if (start.is_cpu || (start.is_section && info_.is_s390)) return StartBlock(start, begin, end);
    if (blocks_ != nullptr) Continue(line, end);
    return true;
  }

  bool StartBlock(const Start& start, size_t begin, size_t end) {
    if (!start.number) return false;
    if (!has_cpu_) info_.head = text_.substr(0, begin);
    // What stands between two blocks goes with the first one, so that no line is lost, ...
    if (has_cpu_ && !start.is_section) GrowLast(begin);
    // ... but the blank line in front of an s390x section belongs to that section.
    const size_t from = start.is_section ? end_ : begin;
    has_cpu_ = true;
    info_.is_s390 |= start.is_s390;
    blocks_ = start.is_section ? &info_.sections : &info_.blocks;
    blocks_->push_back({.cpu = start.number->value,
                        .text = text_.substr(from, end - from),
                        .number = start.number->text});
    end_ = end;
    is_open_ = true;
    return true;
  }

  void GrowLast(size_t end) {
    CpuInfoBlock& last = blocks_->back();
    const auto begin = static_cast<size_t>(last.text.data() - text_.data());
    last.text = text_.substr(begin, end - begin);
    end_ = end;
  }

  void Continue(std::string_view line, size_t end) {
    if (!is_open_) return;
    // s390x: a processor is one line, a section ends where the next one begins with its blank line.
    if (info_.is_s390 && line.empty()) {
      is_open_ = false;
      return;
    }
    GrowLast(end);
    if (line.empty()) is_open_ = false;
    if (!MayBeField(line)) return;
    const KeyValue pair = SplitLine(line);
    const Field* const field = fields_.Find(pair.key);
    if (field != nullptr) blocks_->back().*field->member = pair.value;
  }

  std::string_view text_;
  CpuInfo info_;
  KeyFinder<Field> fields_{kFields};
  std::vector<CpuInfoBlock>* blocks_ = nullptr;  // the list that the last block went to
  size_t end_ = 0;                               // of the last block
  bool has_cpu_ = false;
  bool is_open_ = false;  // no blank line since the last block began
};

}  // namespace

Result<CpuInfo> ParseCpuInfo(std::string_view text) {
  if (text.empty()) return ParseErrorAt(1);
  return Parser(text).Run();
}

}  // namespace core::proc
