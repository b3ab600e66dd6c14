// SPDX-License-Identifier: Apache-2.0
// A value that is made again when it is too old, once for all who ask at the same time.
//
// Source: none.
// Units:  std::chrono::nanoseconds of the monotonic clock.
// Errors: those of the function that makes the value; the last good value is kept.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "core/base/clock.h"
#include "core/base/result.h"

namespace core {

// While another caller makes a value:
enum class WhileMade : uint8_t {
  kGiveOld,  // whatever is there, for values that may take long to make
  kBound,  // one that is at most kOldAges times `max_age` old, else the other caller is waited for
};

template <typename T, WhileMade kWhileMade = WhileMade::kBound>
class Fresh {
 public:
  using Ref = std::shared_ptr<const T>;
  static constexpr int kOldAges = 5;

  // A value whose making began at most `max_age` before `now`; while another caller makes it, the
  // one before it, as kWhileMade says, unless every caller is to get one of its own (0). `make(T&)
  // -> Status` is called without a lock, by one caller at a time, on a T that nobody looks at (its
  // old content is there to be overwritten, so that buffers are used again). `before_wait()` is
  // called when another caller must be waited for, with a lock of this value held.
  template <typename Make>
  Result<Ref> Get(Nanoseconds now,
                  Nanoseconds max_age,
                  Make make,
                  const std::function<void()>& before_wait = {}) {
    std::unique_lock lock(mutex_);
    for (;;) {
      if (current_ != nullptr && current_at_ + max_age >= now) return Ref(current_);
      if (!making_) break;
      const bool is_young_enough =
          kWhileMade == WhileMade::kGiveOld || current_at_ + max_age * kOldAges >= now;
      if (current_ != nullptr && max_age > Nanoseconds{} && is_young_enough) return Ref(current_);
      if (before_wait) before_wait();
      made_.wait(lock);
    }
    making_ = true;
    std::shared_ptr<T> next = TakeSpare();
    lock.unlock();
    const Status status = make(*next);
    lock.lock();
    making_ = false;
    made_.notify_all();
    if (!status) {
      KeepSpare(std::move(next));
      return status.error();
    }
    // Who seldom asks has no use for a second buffer; a thousand views have one of each file.
    if (current_ != nullptr && current_at_ + kSpareKeptFor >= now) KeepSpare(std::move(current_));
    current_ = std::move(next);
    current_at_ = now;
    return Ref(current_);
  }

  // The last good value, however old; null when there was none.
  [[nodiscard]] Ref Last() const {
    const std::lock_guard lock(mutex_);
    return current_;
  }

  // Forgets the value and its buffers.
  void Drop() {
    const std::lock_guard lock(mutex_);
    current_.reset();
    spare_.reset();
  }

 private:
  static constexpr Nanoseconds kSpareKeptFor = std::chrono::milliseconds(500);

  std::shared_ptr<T> TakeSpare() {
    if (spare_ == nullptr || spare_.use_count() != 1) return std::make_shared<T>();
    // A copy that goes again acquires what the last other owner has released. (So would a fence, of
    // which thread sanitizers know nothing.)
    std::shared_ptr<T>(spare_).reset();
    return std::exchange(spare_, nullptr);
  }
  void KeepSpare(std::shared_ptr<T> value) { spare_ = std::move(value); }

  mutable std::mutex mutex_;  // guards all below
  std::condition_variable made_;
  bool making_ = false;
  std::shared_ptr<T> current_;
  Nanoseconds current_at_{};
  // One is enough for who reads again and again.
  std::shared_ptr<T> spare_;
};

}  // namespace core
