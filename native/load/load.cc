// SPDX-License-Identifier: Apache-2.0
// lensfs-load: reads one file as fast as it can and says how fast that was. For benchmarks only.
//
//   lensfs-load FILE open|pread THREADS SECONDS
//
// open: open, read to the end, close. pread: pread at 0 on a descriptor that stays open.
// Prints {"reads":N,"errors":N,"bytes":N,"seconds":S,"p50_ns":N,"p99_ns":N}.
#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/base/fd.h"
#include "core/base/text.h"
#include "load/histogram.h"

namespace {

using Clock = std::chrono::steady_clock;

enum class Mode : uint8_t { kOpen, kPread };

struct Options {
  std::string path;
  Mode mode = Mode::kOpen;
  uint64_t threads = 1;
  uint64_t seconds = 1;
};

struct Totals {
  uint64_t reads = 0;
  uint64_t errors = 0;
  uint64_t bytes = 0;
  load::Histogram latencies;
};

using Buffer = std::array<char, size_t{64} * 1024>;

std::optional<uint64_t> ReadByOpening(const char* path, Buffer& buffer) {
  const core::Fd fd(open(path, O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return std::nullopt;
  uint64_t bytes = 0;
  for (;;) {
    const ssize_t count = read(fd.get(), buffer.data(), buffer.size());
    if (count < 0) return std::nullopt;
    if (count == 0) break;
    bytes += static_cast<uint64_t>(count);
  }
  return bytes;
}

std::optional<uint64_t> ReadAgain(const core::Fd& fd, Buffer& buffer) {
  const ssize_t count = pread(fd.get(), buffer.data(), buffer.size(), 0);
  if (count < 0) return std::nullopt;
  return static_cast<uint64_t>(count);
}

// What one read gave; an empty file is an error too.
void Count(std::optional<uint64_t> bytes, Clock::duration took, Totals& totals) {
  ++totals.reads;
  if (bytes.value_or(0) == 0) ++totals.errors;
  totals.bytes += bytes.value_or(0);
  totals.latencies.Add(
      static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(took).count()));
}

void ReadUntil(Clock::time_point end, const Options& options, Totals& totals) {
  const auto buffer = std::make_unique<Buffer>();
  const core::Fd kept(open(options.path.c_str(), O_RDONLY | O_CLOEXEC));
  auto begin = Clock::now();
  while (begin < end) {
    const auto bytes = options.mode == Mode::kOpen ? ReadByOpening(options.path.c_str(), *buffer)
                                                   : ReadAgain(kept, *buffer);
    const auto now = Clock::now();
    Count(bytes, now - begin, totals);
    begin = now;
  }
}

Totals Run(const Options& options) {
  std::vector<Totals> totals(options.threads);
  std::atomic<bool> go{false};
  Clock::time_point end;
  std::vector<std::thread> threads;
  threads.reserve(totals.size());
  for (Totals& own : totals) {
    threads.emplace_back([&] {
      go.wait(false);
      ReadUntil(end, options, own);
    });
  }
  end = Clock::now() + std::chrono::seconds(options.seconds);
  go.store(true);
  go.notify_all();
  for (std::thread& thread : threads) thread.join();
  Totals sum;
  for (const Totals& own : totals) {
    sum.reads += own.reads;
    sum.errors += own.errors;
    sum.bytes += own.bytes;
    sum.latencies.Merge(own.latencies);
  }
  return sum;
}

std::optional<Options> ParseOptions(const std::vector<std::string_view>& words) {
  if (words.size() != 4) return std::nullopt;
  const auto threads = core::ParseU64(words[2]);
  const auto seconds = core::ParseU64(words[3]);
  const bool is_open = words[1] == "open";
  if (!threads || !seconds || *threads == 0 || (!is_open && words[1] != "pread")) {
    return std::nullopt;
  }
  return Options{.path = std::string(words[0]),
                 .mode = is_open ? Mode::kOpen : Mode::kPread,
                 .threads = *threads,
                 .seconds = *seconds};
}

void Print(const Options& options, const Totals& totals) {
  const auto text = [](uint64_t number) { return std::to_string(number); };
  const std::string line = R"({"reads":)" + text(totals.reads) + R"(,"errors":)" +
                           text(totals.errors) + R"(,"bytes":)" + text(totals.bytes) +
                           R"(,"seconds":)" + text(options.seconds) + R"(,"p50_ns":)" +
                           text(totals.latencies.Quantile(0.5)) + R"(,"p99_ns":)" +
                           text(totals.latencies.Quantile(0.99)) + "}";
  (void)std::puts(line.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = ParseOptions(std::vector<std::string_view>(argv + 1, argv + argc));
  if (!options) {
    (void)std::fputs("usage: lensfs-load FILE open|pread THREADS SECONDS\n", stderr);
    return 2;
  }
  Print(*options, Run(*options));
  return 0;
}
