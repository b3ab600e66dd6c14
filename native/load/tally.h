// SPDX-License-Identifier: Apache-2.0
// What a client counts: reads, failures, bytes and how long each read took.
//
// Source: none.
// Units:  bytes; nanoseconds.
// Errors: none.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "load/histogram.h"

namespace load {

using Clock = std::chrono::steady_clock;

struct Tally {
  uint64_t reads = 0;
  uint64_t errors = 0;
  uint64_t bytes = 0;
  Histogram latencies;

  // What one read gave; an empty file is an error too.
  void Count(std::optional<uint64_t> read_bytes, Clock::duration took) {
    ++reads;
    if (read_bytes.value_or(0) == 0) ++errors;
    bytes += read_bytes.value_or(0);
    latencies.Add(
        static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(took).count()));
  }

  void Merge(const Tally& other) {
    reads += other.reads;
    errors += other.errors;
    bytes += other.bytes;
    latencies.Merge(other.latencies);
  }
};

// {"reads":N,"errors":N,"bytes":N,"seconds":S,"p50_ns":N,"p99_ns":N}
inline std::string ToJson(const Tally& tally, Clock::duration took) {
  const auto text = [](uint64_t number) { return std::to_string(number); };
  return R"({"reads":)" + text(tally.reads) + R"(,"errors":)" + text(tally.errors) +
         R"(,"bytes":)" + text(tally.bytes) + R"(,"seconds":)" +
         std::to_string(std::chrono::duration<double>(took).count()) + R"(,"p50_ns":)" +
         text(tally.latencies.Quantile(0.5)) + R"(,"p99_ns":)" +
         text(tally.latencies.Quantile(0.99)) + "}";
}

}  // namespace load
