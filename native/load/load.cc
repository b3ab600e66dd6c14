// SPDX-License-Identifier: Apache-2.0
// lensfs-load: reads one file as fast as it can and says how fast that was. For benchmarks only.
//
//   lensfs-load FILE open|pread THREADS SECONDS
//
// open: open, read to the end, close. pread: pread at 0 on a descriptor that stays open.
// Prints what tally.h says.
#include <fcntl.h>

#include <atomic>
#include <chrono>
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
#include "load/reading.h"
#include "load/tally.h"

namespace {

using load::Buffer;
using load::Clock;
using load::Tally;

enum class Mode : uint8_t { kOpen, kPread };

struct Options {
  std::string path;
  Mode mode = Mode::kOpen;
  uint64_t threads = 1;
  Clock::duration duration{};
};

void ReadUntil(Clock::time_point end, const Options& options, Tally& tally) {
  const auto buffer = std::make_unique<Buffer>();
  const core::Fd kept(open(options.path.c_str(), O_RDONLY | O_CLOEXEC));
  auto begin = Clock::now();
  while (begin < end) {
    const auto bytes = options.mode == Mode::kOpen
                           ? load::ReadByOpening(options.path.c_str(), *buffer)
                           : load::ReadAgain(kept, *buffer);
    const auto now = Clock::now();
    tally.Count(bytes, now - begin);
    begin = now;
  }
}

Tally Run(const Options& options) {
  std::vector<Tally> tallies(options.threads);
  std::atomic<bool> go{false};
  Clock::time_point end;
  std::vector<std::thread> threads;
  threads.reserve(tallies.size());
  for (Tally& own : tallies) {
    threads.emplace_back([&] {
      go.wait(false);
      ReadUntil(end, options, own);
    });
  }
  end = Clock::now() + options.duration;
  go.store(true);
  go.notify_all();
  for (std::thread& thread : threads) thread.join();
  Tally sum;
  for (const Tally& own : tallies) sum.Merge(own);
  return sum;
}

std::optional<Options> ParseOptions(const std::vector<std::string_view>& words) {
  if (words.size() != 4) return std::nullopt;
  const auto threads = core::ParseU64(words[2]);
  const auto seconds = load::ParseSeconds(words[3]);
  const bool is_open = words[1] == "open";
  if (!threads || !seconds || *threads == 0 || (!is_open && words[1] != "pread")) {
    return std::nullopt;
  }
  const auto duration = std::chrono::duration<double>(*seconds);
  return Options{.path = std::string(words[0]),
                 .mode = is_open ? Mode::kOpen : Mode::kPread,
                 .threads = *threads,
                 .duration = std::chrono::duration_cast<Clock::duration>(duration)};
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = ParseOptions(std::vector<std::string_view>(argv + 1, argv + argc));
  if (!options) {
    (void)std::fputs("usage: lensfs-load FILE open|pread THREADS SECONDS\n", stderr);
    return 2;
  }
  (void)std::puts(ToJson(Run(*options), options->duration).c_str());
  return 0;
}
