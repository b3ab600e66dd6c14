// SPDX-License-Identifier: Apache-2.0
#include "core/base/precedence.h"

#include <sys/resource.h>

namespace core {
namespace {

constexpr int kUsual = 0;
constexpr int kFirst = -10;

// Linux has a nice value for each thread; 0 is the calling one.
void Change(int from, int to) {
  if (getpriority(PRIO_PROCESS, 0) == from) (void)setpriority(PRIO_PROCESS, 0, to);
}

}  // namespace

void TakePrecedence() {
  Change(kUsual, kFirst);
}

void GiveUpPrecedence() {
  Change(kFirst, kUsual);
}

}  // namespace core
