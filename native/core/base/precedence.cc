// SPDX-License-Identifier: Apache-2.0
#include "core/base/precedence.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <string_view>

#include "core/base/fd.h"

namespace core {
namespace {

constexpr int kUsual = 0;
constexpr int kFirst = -10;
// As getrlimit(2) writes the nice value -20.
constexpr rlim_t kAnyNice = 40;
// A group of tasks gets as much as any other one, however many runnable tasks are in those. At
// this value half of a CPU is left for it by fifty others.
constexpr std::string_view kGroupFirst = "-20";

// CAP_SYS_RESOURCE is kept, CAP_SYS_NICE is not.
void AllowAnyNice() {
  const rlimit any{.rlim_cur = kAnyNice, .rlim_max = kAnyNice};
  (void)setrlimit(RLIMIT_NICE, &any);
}

// Linux has a nice value for each thread; 0 is the calling one.
void Change(int from, int to) {
  if (getpriority(PRIO_PROCESS, 0) == from) (void)setpriority(PRIO_PROCESS, 0, to);
}

}  // namespace

void TakePrecedence() {
  AllowAnyNice();
  Change(kUsual, kFirst);
  if (getsid(0) == getpid()) TakeSessionPrecedence();
}

void TakeSessionPrecedence() {
  if (getpriority(PRIO_PROCESS, 0) != kFirst) return;
  const Fd group(open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC));
  if (group.valid()) (void)!write(group.get(), kGroupFirst.data(), kGroupFirst.size());
}

void GiveUpPrecedence() {
  Change(kFirst, kUsual);
}

}  // namespace core
