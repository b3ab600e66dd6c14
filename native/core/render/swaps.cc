// SPDX-License-Identifier: Apache-2.0
// mm/swapfile.c: swap_show() (6.18). Different on purpose: one row that stands for all swap the
// container may use; the host's devices are not its business.
#include <cstdint>
#include <string_view>

#include "core/base/units.h"
#include "core/base/write_text.h"
#include "core/model/memory_view.h"
#include "core/render/render.h"
#include "core/render/sheet.h"

namespace core::render {
namespace {

constexpr std::string_view kHeader = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";

// The kernel pads the file's name to 40 columns; "virtual" is two tabs wide as "file" is.
constexpr std::string_view kNameAndType = "none                                    virtual\t\t";

// Since 5.10 numbers of up to seven digits are followed by two tabs, as the header's words are.
void PutColumn(uint64_t kib, bool is_wide, TextWriter& out) {
  constexpr uint64_t kEightDigits = 10'000'000;
  out.PutU64(kib).Put('\t');
  if (is_wide && kib < kEightDigits) out.Put('\t');
}

}  // namespace

void RenderSwaps(const Sheet& sheet, TextWriter& out) {
  const std::string_view header =
      sheet.host_swaps_header.empty() ? kHeader : sheet.host_swaps_header;
  out.Put(header);
  const model::MemoryView& memory = sheet.memory;
  if (memory.swap_total == 0) return;
  const bool is_wide = header.find("Size\t\t") != std::string_view::npos;
  out.Put(kNameAndType);
  PutColumn(memory.swap_total, is_wide, out);
  PutColumn(SaturatingSub(memory.swap_total, memory.swap_free), is_wide, out);
  out.Put("0\n");
}

}  // namespace core::render
