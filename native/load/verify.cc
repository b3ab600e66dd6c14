// SPDX-License-Identifier: Apache-2.0
// lensfs-verify: reads a file with many threads and checks every byte of every read. For tests
// only.
//
//   lensfs-verify FILE THREADS SECONDS [LIMIT_FILE BYTES]
//
// FILE is called meminfo, stat, loadavg, uptime or swaps. The cgroup's memory limit in LIMIT_FILE
// is changed all the time, from BYTES upwards, so that no two renderings of meminfo have the same.
// Prints one line of JSON: {"reads":N,"texts":N,"size":N,"violations":{...}}; the first text that
// is wrong goes to standard error.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

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
#include "load/examine.h"
#include "load/generations.h"
#include "load/reading.h"
#include "load/tally.h"

namespace {

using load::Buffer;
using load::Clock;
using load::Generations;
using load::Violations;

struct Options {
  std::string path;
  load::Kind kind = load::Kind::kMemInfo;
  uint64_t threads = 1;
  Clock::duration duration{};
  std::string limit_path;
  uint64_t limit_bytes = 0;
};

struct Result {
  uint64_t reads = 0;
  Violations violations;
  std::string example;
};

// Whoever changes the file comes before those who read it all the time.
constexpr int kReaderNiceness = 10;

// The same bytes as at the last read have the same faults.
Result ReadUntil(Clock::time_point end, const Options& options, Generations& generations) {
  (void)setpriority(PRIO_PROCESS, 0, kReaderNiceness);  // of this thread
  Result result;
  const core::Fd fd(open(options.path.c_str(), O_RDONLY | O_CLOEXEC));
  const auto buffer = std::make_unique<Buffer>();
  std::optional<std::string> last;
  Violations last_violations;
  std::vector<uint64_t> counters;
  while (Clock::now() < end) {
    const auto bytes = load::ReadAgain(fd, *buffer);
    ++result.reads;
    if (!bytes) {
      ++result.violations.failed;
      continue;
    }
    const std::string_view text(buffer->data(), *bytes);
    if (text != last) {
      last_violations = generations.Check(text, counters);
      last = text;
      if (last_violations.Sum() != 0 && result.example.empty()) result.example = text;
    }
    result.violations.Merge(last_violations);
  }
  return result;
}

// One page more each time; a write takes longer than a rendering stays fresh at the least.
void ChangeLimit(const Options& options, const std::atomic<bool>& is_over) {
  constexpr auto kPause = std::chrono::microseconds(200);
  constexpr uint64_t kPageBytes = 4096;
  for (uint64_t limit = options.limit_bytes; !is_over.load(); limit += kPageBytes) {
    const core::Fd fd(open(options.limit_path.c_str(), O_WRONLY | O_CLOEXEC));
    const std::string text = std::to_string(limit);
    if (!fd.valid() || write(fd.get(), text.data(), text.size()) < 0) {
      std::perror(options.limit_path.c_str());
      return;
    }
    std::this_thread::sleep_for(kPause);
  }
}

Result Run(const Options& options, Generations& generations) {
  std::vector<Result> results(options.threads);
  std::vector<std::thread> readers;
  readers.reserve(results.size());
  std::atomic<bool> is_over{false};
  std::thread changer;
  if (!options.limit_path.empty()) changer = std::thread([&] { ChangeLimit(options, is_over); });
  const auto end = Clock::now() + options.duration;
  for (Result& own : results) {
    readers.emplace_back([&] { own = ReadUntil(end, options, generations); });
  }
  for (std::thread& reader : readers) reader.join();
  is_over.store(true);
  if (changer.joinable()) changer.join();
  Result sum;
  for (const Result& own : results) {
    sum.reads += own.reads;
    sum.violations.Merge(own.violations);
    if (sum.example.empty()) sum.example = own.example;
  }
  return sum;
}

std::optional<Options> ParseOptions(const std::vector<std::string>& words) {
  if (words.size() != 3 && words.size() != 5) return std::nullopt;
  const auto kind = load::KindOf(words[0]);
  const auto threads = core::ParseU64(words[1]);
  const auto seconds = load::ParseSeconds(words[2]);
  if (!kind || !threads || *threads == 0 || !seconds) return std::nullopt;
  const auto duration = std::chrono::duration<double>(*seconds);
  Options options;
  options.path = words[0];
  options.kind = *kind;
  options.threads = *threads;
  options.duration = std::chrono::duration_cast<Clock::duration>(duration);
  if (words.size() == 5) {
    const auto bytes = core::ParseU64(words[4]);
    if (!bytes) return std::nullopt;
    options.limit_path = words[3];
    options.limit_bytes = *bytes;
  }
  return options;
}

// 50, the kernel's default, when it cannot be read.
uint64_t ReadOvercommitRatio() {
  constexpr uint64_t kDefault = 50;
  const core::Fd fd(open("/proc/sys/vm/overcommit_ratio", O_RDONLY | O_CLOEXEC));
  const auto buffer = std::make_unique<Buffer>();
  const auto bytes = load::ReadAgain(fd, *buffer);
  if (!bytes) return kDefault;
  return core::ParseU64(core::Trim({buffer->data(), *bytes})).value_or(kDefault);
}

std::string ToJson(const Result& result, size_t texts, size_t size) {
  const auto member = [](const char* name, uint64_t value) {
    return "\"" + std::string(name) + "\":" + std::to_string(value);
  };
  const Violations& found = result.violations;
  return "{" + member("reads", result.reads) + "," + member("texts", texts) + "," +
         member("size", size) + ",\"violations\":{" + member("failed", found.failed) + "," +
         member("size", found.size) + "," + member("newline", found.newline) + "," +
         member("nul", found.nul) + "," + member("parse", found.parse) + "," +
         member("mixed", found.mixed) + "," + member("order", found.order) + "}}";
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = ParseOptions(std::vector<std::string>(argv + 1, argv + argc));
  if (!options) {
    (void)std::fputs("usage: lensfs-verify FILE THREADS SECONDS [LIMIT_FILE BYTES]\n", stderr);
    return 2;
  }
  struct stat status{};
  if (stat(options->path.c_str(), &status) != 0) {
    std::perror(options->path.c_str());
    return 1;
  }
  const auto size = static_cast<size_t>(status.st_size);
  Generations generations(options->kind, size, ReadOvercommitRatio());
  const Result result = Run(*options, generations);
  (void)std::fwrite(result.example.data(), 1, result.example.size(), stderr);
  (void)std::puts(ToJson(result, generations.count(), size).c_str());
  return 0;
}
