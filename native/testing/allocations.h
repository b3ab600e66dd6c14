// SPDX-License-Identifier: Apache-2.0
// Counts what is allocated with new in this program.
//
// Source: [replacement.functions] of the C++ standard.
// Units:  calls of operator new.
// Errors: aborts when there is no memory.
#pragma once

#include <cstdint>

namespace testing {

// Whether there is a count: sanitizers have an operator new of their own.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define LENSFS_HAS_SANITIZER
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LENSFS_HAS_SANITIZER
#endif
#ifdef LENSFS_HAS_SANITIZER
inline constexpr bool kCountsAllocations = false;
#else
inline constexpr bool kCountsAllocations = true;
#endif

// Since the program began, by all threads.
uint64_t CountAllocations();

}  // namespace testing
