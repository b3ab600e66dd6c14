// SPDX-License-Identifier: Apache-2.0
#include "core/engine/work_record.h"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/clock.h"
#include "core/cgroup/cgroup_id.h"
#include "core/cgroup/controller.h"

namespace core::engine {
namespace {

using cgroup::CgroupId;

// Longer than any read of a cgroup that makes progress.
constexpr Nanoseconds kTooLong = std::chrono::seconds(2);

constexpr std::array kFailures = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
// The handlers that were installed before ours, by signal number.
std::array<struct sigaction, 65> earlier_actions;

// The calling thread's records, innermost first.
thread_local Work* innermost = nullptr;

void PassOn(int signal, siginfo_t* info, void* context) {
  const struct sigaction& earlier = earlier_actions.at(static_cast<size_t>(signal));
  if ((earlier.sa_flags & SA_SIGINFO) != 0) {
    earlier.sa_sigaction(signal, info, context);
  } else if (earlier.sa_handler != SIG_DFL && earlier.sa_handler != SIG_IGN) {
    earlier.sa_handler(signal);
  } else {
    struct sigaction plain{};
    plain.sa_handler = SIG_DFL;
    (void)sigaction(signal, &plain, nullptr);
    (void)raise(signal);
  }
}

}  // namespace

std::vector<CgroupId> WorkMemory::TakeBlamed(Nanoseconds now) {
  std::vector<CgroupId> blamed;
  for (Slot& slot : slots) {
    if (slot.owner.load() == 0) continue;
    const Nanoseconds took = now - Nanoseconds(slot.since_nsec.load());
    const uint64_t controller = slot.controller.load();
    if ((slot.has_failed.load() != 0 || took >= kTooLong) &&
        controller < cgroup::kControllerCount) {
      blamed.push_back(CgroupId{.controller = static_cast<cgroup::Controller>(controller),
                                .inode = slot.inode.load()});
    }
    slot.owner.store(0);
  }
  return blamed;
}

Work::Work(WorkMemory* memory, std::optional<CgroupId> id) {
  if (memory == nullptr || !id) return;
  owner_ = static_cast<uint64_t>(gettid());
  for (size_t tried = 0; tried < WorkMemory::kSlots; ++tried) {
    WorkMemory::Slot& slot = memory->slots.at((owner_ + tried) % WorkMemory::kSlots);
    uint64_t nobody = 0;
    if (slot.owner.load(std::memory_order_relaxed) != 0) continue;
    if (!slot.owner.compare_exchange_strong(nobody, owner_)) continue;
    slot_ = &slot;
    break;
  }
  if (slot_ == nullptr) return;
  slot_->controller.store(static_cast<uint64_t>(id->controller), std::memory_order_relaxed);
  slot_->inode.store(id->inode, std::memory_order_relaxed);
  slot_->since_nsec.store(NowMonotonic().count(), std::memory_order_relaxed);
  slot_->has_failed.store(0, std::memory_order_relaxed);
  outer_ = innermost;
  innermost = this;
}

Work::~Work() {
  if (slot_ == nullptr) return;
  innermost = outer_;
  // The slot may be another thread's by now: a successor frees all slots without waiting.
  (void)slot_->owner.compare_exchange_strong(owner_, 0);
}

void Work::OnFailure() {
  for (const Work* work = innermost; work != nullptr; work = work->outer_) {
    if (work->slot_->owner.load() == work->owner_) work->slot_->has_failed.store(1);
  }
}

void RecordFailures() {
  struct sigaction own{};
  own.sa_sigaction = [](int signal, siginfo_t* info, void* context) {
    Work::OnFailure();
    PassOn(signal, info, context);
  };
  own.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK;
  for (const int signal : kFailures) {
    struct sigaction found{};
    if (sigaction(signal, nullptr, &found) != 0) continue;
    if ((found.sa_flags & SA_SIGINFO) != 0 && found.sa_sigaction == own.sa_sigaction) continue;
    earlier_actions.at(static_cast<size_t>(signal)) = found;
    (void)sigaction(signal, &own, nullptr);
  }
}

}  // namespace core::engine
