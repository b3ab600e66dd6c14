// SPDX-License-Identifier: Apache-2.0
// What must be true of every text of a file under /proc, whatever the numbers in it.
//
// Source: proc(5), and the renderers in core/render.
// Units:  none.
// Errors: none; a text that cannot be parsed says so.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace load {

enum class Kind : uint8_t { kMemInfo, kStat, kLoadAverage, kUptime, kSwaps };

struct Facts {
  // First keys and all numbers are where they belong.
  bool parses = false;
  // Numbers of one rendering fit together: those that are derived from each other do so, and no
  // part is above its whole.
  bool fits = true;
  // A number that no two renderings share: a text is a function of it.
  std::optional<uint64_t> key;
  // Numbers that never go back, always as many.
  std::vector<uint64_t> counters;
};

// By the last part of a path; nullopt for other files.
std::optional<Kind> KindOf(std::string_view path);

// `overcommit_ratio` is the host's, in percent. Blanks before a line's end do not matter.
//
// meminfo: CommitLimit, a line in the second half, is SwapTotal plus a percentage of MemTotal, the
// first line. A limit that changes before each rendering makes any mix of two renderings in between
// visible. stat: ctxt, in the middle, counts the wake-ups that a rendering takes, so it is the key.
// The others are shorter than a cache line when there is no swap.
Facts Examine(Kind kind, std::string_view text, uint64_t overcommit_ratio);

}  // namespace load
