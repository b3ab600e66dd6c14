// SPDX-License-Identifier: Apache-2.0
// The two clocks at one moment; both are read once per render.
//
// Source: none.
// Units:  std::chrono::nanoseconds.
// Errors: none.
#pragma once

#include "core/base/clock.h"

namespace core::engine {

struct Moment {
  Nanoseconds boottime{};
  Nanoseconds monotonic{};
};

}  // namespace core::engine
