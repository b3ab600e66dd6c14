// SPDX-License-Identifier: Apache-2.0
// Units of the kernel's numbers, and arithmetic that cannot wrap.
//
// Source: Documentation/filesystems/proc.rst (kB lines are KiB, CPU time is in USER_HZ).
// Units:  as each name says.
// Errors: none; subtraction stops at 0, addition at the largest number.
#pragma once

#include <algorithm>
#include <cstdint>

namespace core {

inline constexpr uint64_t kBytesPerKib = 1024;
inline constexpr uint64_t kBytesPerPage = 4096;
inline constexpr uint64_t kBytesPerSector = 512;
inline constexpr uint64_t kNsecPerUsec = 1000;
inline constexpr uint64_t kUsecPerSec = 1'000'000;
// USER_HZ is 100 on every architecture that Node.js runs on (alpha and ia64 differ).
inline constexpr uint64_t kUserHz = 100;
inline constexpr uint64_t kUsecPerUserHz = kUsecPerSec / kUserHz;

inline constexpr uint64_t SaturatingSub(uint64_t a, uint64_t b) {
  return a > b ? a - b : 0;
}

inline constexpr uint64_t SaturatingAdd(uint64_t a, uint64_t b) {
  return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

inline constexpr uint64_t CeilDiv(uint64_t a, uint64_t b) {
  return a / b + (a % b != 0 ? 1 : 0);
}

}  // namespace core
