// SPDX-License-Identifier: Apache-2.0
// block/genhd.c: diskstats_show() (6.18): "%4d %7d %s" and the numbers. Different on purpose: a
// cgroup has no counters for merges, times, queues and flushes, so these are 0.
#include <array>
#include <cstdint>

#include "core/base/write_text.h"
#include "core/model/disk_view.h"
#include "core/render/render.h"
#include "core/render/sheet.h"

namespace core::render {
namespace {

using model::DiskRow;

// By place behind the name; null for 0, as are all places behind these.
constexpr std::array<uint64_t DiskRow::*, 14> kColumns{&DiskRow::reads,
                                                       nullptr,
                                                       &DiskRow::read_sectors,
                                                       nullptr,
                                                       &DiskRow::writes,
                                                       nullptr,
                                                       &DiskRow::write_sectors,
                                                       nullptr,
                                                       nullptr,
                                                       nullptr,
                                                       nullptr,
                                                       &DiskRow::discards,
                                                       nullptr,
                                                       &DiskRow::discard_sectors};

uint64_t ValueAt(const DiskRow& row, uint32_t column) {
  if (column >= kColumns.size() || kColumns[column] == nullptr) return 0;
  return row.*kColumns[column];
}

}  // namespace

void RenderDiskStats(const Sheet& sheet, TextWriter& out) {
  for (const DiskRow& row : sheet.disks) {
    out.PutU64(row.major, 4).Put(' ').PutU64(row.minor, 7).Put(' ').Put(row.name);
    for (uint32_t column = 0; column < row.value_count; ++column) {
      out.Put(' ').PutU64(ValueAt(row, column));
    }
    out.Put('\n');
  }
}

}  // namespace core::render
