// SPDX-License-Identifier: Apache-2.0
// The work of every 5 s: load samples, and what idle views give back.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/base/erase_if.h"
#include "core/base/result.h"
#include "core/engine/engine.h"
#include "core/engine/identity_cache.h"
#include "core/engine/load_sampler.h"
#include "core/engine/moment.h"
#include "core/engine/sheet_maker.h"
#include "core/engine/view.h"
#include "core/model/load_average.h"

namespace core::engine {
namespace {

// loadavg and stat are sampled for a view until nobody has asked for this long.
constexpr Nanoseconds kSampledFor = std::chrono::minutes(15);
// An unused view's snapshots are given back after this; its counters stay.
constexpr Nanoseconds kSnapshotsKeptFor = std::chrono::seconds(30);

// Of each tick; views whose turn comes later are estimated.
constexpr Nanoseconds kCountedFor = std::chrono::seconds(1);

}  // namespace

void Engine::Tick(Scratch& scratch) {
  const Nanoseconds begin = NowMonotonic();
  const Nanoseconds last = ticked_at_.exchange(begin, std::memory_order_relaxed);
  if (last != Nanoseconds{}) {
    const Nanoseconds period = std::chrono::microseconds(model::kLoadPeriodUsec);
    tick_lag_.store(std::max(Nanoseconds{}, begin - last - period), std::memory_order_relaxed);
  }
  std::vector<ViewRef> views = views_.All();
  // Whose tasks take long to count comes last, so that nobody else is left out for it.
  std::ranges::sort(views, {}, [](const ViewRef& view) {
    return std::pair(view->tally->took.load(std::memory_order_relaxed), view->serial);
  });
  const Nanoseconds until = begin + kCountedFor;
  for (const ViewRef& view : views) {
    const auto policy = PolicyOf(*view);
    const Moment now = Now();
    const Nanoseconds wanted_at = view->load_wanted_at.load(std::memory_order_relaxed);
    if (wanted_at != Nanoseconds{} && now.monotonic - wanted_at < kSampledFor) {
      const auto status =
          policy->loadavg ? loads_.SampleLoad(*view, now, until, scratch.file) : Status(Unit{});
      if (!status && !view->cgroup.IsAlive()) views_.Remove(view);
    }
    if (now.monotonic - view->used_at.load(std::memory_order_relaxed) <= kSnapshotsKeptFor) {
      continue;
    }
    view->DropTexts();
    if (!view->cgroup.IsAlive()) views_.Remove(view);
  }
  identities_.DropOld(NowMonotonic());
  tick_took_.store(NowMonotonic() - begin, std::memory_order_relaxed);
  const std::lock_guard lock(traits_mutex_);
  EraseIf(traits_,
          [](const auto& known) { return IdentityCache::HasEnded(known.second->init_pidfd); });
}

}  // namespace core::engine
