// SPDX-License-Identifier: Apache-2.0
// What is fuzzed, by name: the parsers' checks (testing/every_parser.h), and what needs the system.
//
// Source: none.
// Units:  none.
// Errors: none; a wrong result ends the process, which is how a fuzzer learns of it.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "testing/every_parser.h"

namespace fuzz {

using testing::ParserCheck;

// A journal's memory as whoever died may have left it: sizes stay within it, and it can be used on.
bool RunJournal(std::string_view memory);
// The text of /proc/<pid>/cgroup: every path is absolute or empty.
bool RunCgroupPaths(std::string_view text);
// An OCI config.json: with a hook added it has what it had, and the hook is found in it.
bool RunConfigEdit(std::string_view config);

std::optional<ParserCheck> FindTarget(std::string_view name);

// Ends the process, with the target's name, when the check fails.
void RunOrAbort(const ParserCheck& target, std::string_view text);

}  // namespace fuzz
