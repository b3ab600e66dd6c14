// SPDX-License-Identifier: Apache-2.0
#include "testing/fresh_check.h"

#include <chrono>
#include <future>
#include <thread>

#include "core/base/clock.h"
#include "core/base/fresh.h"
#include "core/base/result.h"

namespace testing {
namespace {

using core::Nanoseconds;
using core::Status;
using core::Unit;
using core::WhileMade;

constexpr int kOld = 1;
constexpr int kNew = 2;
constexpr Nanoseconds kMaxAge = std::chrono::seconds(1);
constexpr Nanoseconds kFirstAt = std::chrono::hours(1);

struct Asked {
  int value = 0;
  bool has_waited = false;
};

// Asks for a value that was made `age` ago while another caller makes the next one.
template <WhileMade kWhileMade>
Asked AskWhileMade(Nanoseconds age) {
  core::Fresh<int, kWhileMade> fresh;
  (void)fresh.Get(kFirstAt, kMaxAge, [](int& value) -> Status {
    value = kOld;
    return Unit{};
  });
  const Nanoseconds now = kFirstAt + age;
  std::promise<void> begun;
  std::promise<void> may_end;
  std::thread maker([&] {
    (void)fresh.Get(now, kMaxAge, [&](int& value) -> Status {
      begun.set_value();
      may_end.get_future().wait();
      value = kNew;
      return Unit{};
    });
  });
  begun.get_future().wait();
  Asked asked;
  const auto made = fresh.Get(
      now,
      kMaxAge,
      [](int& value) -> Status {
        value = 0;
        return Unit{};
      },
      [&] {
        asked.has_waited = true;
        may_end.set_value();
      });
  asked.value = made ? **made : 0;
  if (!asked.has_waited) may_end.set_value();
  maker.join();
  return asked;
}

bool IsGivenOld(const Asked& asked) {
  return asked.value == kOld && !asked.has_waited;
}

}  // namespace

bool AYoungValueIsGivenMeanwhile() {
  return IsGivenOld(AskWhileMade<WhileMade::kBound>(kMaxAge * 5));
}

bool AnOldValueIsWaitedFor() {
  const Asked asked = AskWhileMade<WhileMade::kBound>(kMaxAge * 6);
  return asked.value == kNew && asked.has_waited;
}

bool AnOldValueIsGivenWhereThatIsWanted() {
  return IsGivenOld(AskWhileMade<WhileMade::kGiveOld>(kMaxAge * 3600));
}

}  // namespace testing
