// SPDX-License-Identifier: Apache-2.0
// fs/proc/meminfo.c: meminfo_proc_show() (6.18), show_val_kb(): a label padded to 16 columns and
// "%8lu kB". The host's text gives the lines and their order. Different on purpose: where a line's
// value comes from, which model/memory_lines.h says.
#include "core/proc/meminfo.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/base/key_table.h"
#include "core/base/write_text.h"
#include "core/model/memory_lines.h"
#include "core/model/memory_view.h"
#include "core/render/render.h"
#include "core/render/sheet.h"

namespace core::render {
namespace {

using model::LineSource;
using model::MemoryLine;
using model::MemoryView;

constexpr size_t kLabelWidth = 16;
constexpr size_t kLineWidth = 24;  // without the unit
// HugePages_* and HardwareCorrupted: "%5lu" behind 19 columns.
constexpr size_t kWideLabelWidth = 19;

// Nothing: the host's line as it is.
std::optional<uint64_t> ValueOf(const MemoryLine* line, const MemoryView& view) {
  if (line == nullptr) return std::nullopt;
  switch (line->source) {
    case LineSource::kView:
      return view.*line->member;
    case LineSource::kHugePages:
      if (view.huge_pages) return *view.huge_pages.*line->huge_member;
      return std::nullopt;
    case LineSource::kZero:
      return 0;
    case LineSource::kHost:
      return std::nullopt;
  }
  return std::nullopt;
}

void PutLine(const proc::MemInfoLine& line, uint64_t value, TextWriter& out) {
  const size_t label = line.label.size() + 1;
  const bool is_wide = label > kLabelWidth || !line.has_unit;
  const size_t begin = is_wide ? std::max(kWideLabelWidth, label + 1) : kLabelWidth;
  out.Put(line.label).Put(':');
  for (size_t column = label; column < begin; ++column) out.Put(' ');
  out.PutU64(value, begin < kLineWidth ? kLineWidth - begin : 0);
  out.Put(line.has_unit ? " kB\n" : "\n");
}

}  // namespace

void RenderMemInfo(const Sheet& sheet, TextWriter& out) {
  KeyFinder<MemoryLine> lines(model::kMemoryLines);
  for (const proc::MemInfoLine& line : sheet.host_meminfo->Lines()) {
    const auto value = ValueOf(lines.Find(line.label), sheet.memory);
    if (value) {
      PutLine(line, *value, out);
    } else {
      out.Put(line.text).Put('\n');
    }
  }
}

}  // namespace core::render
