// SPDX-License-Identifier: Apache-2.0
// The keeper's lines on standard error, in the form of the worker's log.
//
// Source: src/logger.ts.
// Units:  none.
// Errors: none; a line that cannot be written is lost.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/base/result.h"

namespace keeper {

// Less severe lines are left out; the numbers are those of the levels in src/logger.ts, in steps of
// 10 from "trace" (10) to "fatal" (60).
void SetLogLevel(uint32_t level);

// Whether lines begin with their priority, "<4>", because journald reads standard error
// (systemd.exec(5), $JOURNAL_STREAM).
void FindJournal();

// One JSON object a line. `details` is ready-made JSON for members of its own ("\"signal\":9"), or
// empty.
void Log(std::string_view level, std::string_view message, std::string_view details = {});

// What failed, of what, and why.
void LogFailure(std::string_view message, const core::Error& error);

// For the person who started it: "lensfs: MESSAGE".
void Complain(std::string_view message);

}  // namespace keeper
