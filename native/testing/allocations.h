// SPDX-License-Identifier: Apache-2.0
// Counts what is allocated with new in this program.
//
// Source: [replacement.functions] of the C++ standard.
// Units:  calls of operator new.
// Errors: aborts when there is no memory.
#pragma once

#include <cstdint>

namespace testing {

// Since the program began, by all threads.
uint64_t CountAllocations();

}  // namespace testing
