// SPDX-License-Identifier: Apache-2.0
// core_check [FILE ...]: core without Node.js, for builds with sanitizers.
// core_check --allocations PROC CGROUP SYS PID FILE: see engine_check.h; prints the number.
//
// Runs every parser over every prefix of the built-in texts and of the given files, and some checks
// that only C++ can make. A .tree file (test/fixtures/hosts) counts as the texts in it. Prints
// "N passed, N failed"; exits with 1 when a check failed and with 2 for a file it cannot read.
#include <fcntl.h>
#include <sys/types.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <new>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/read_file.h"
#include "core/base/result.h"
#include "core/base/text.h"
#include "core/base/write_text.h"
#include "core/cgroup/memory.h"
#include "core/model/memory_view.h"
#include "core/proc/meminfo.h"
#include "core/render/render.h"
#include "core/render/sheet.h"
#include "testing/allocations.h"
#include "testing/counter_memory_check.h"
#include "testing/engine_check.h"
#include "testing/every_parser.h"
#include "testing/fresh_check.h"
#include "testing/sample_texts.h"

namespace testing {
namespace {

// Longer texts get every prefix up to here and one in kStride after it: prefixes cost the square of
// the length.
constexpr size_t kEveryPrefixBytes = 1024;
constexpr size_t kStride = 211;

struct Counts {
  int passed = 0, failed = 0;

  void Add(std::string_view name, bool is_good) {
    ++(is_good ? passed : failed);
    if (!is_good)
      (void)std::fprintf(stderr, "failed: %.*s\n", static_cast<int>(name.size()), name.data());
  }
};

// On the heap, without a byte to spare: a sanitizer sees a read behind the end.
bool RunExactly(std::string_view text) {
  const std::unique_ptr<char[]> copy(new char[text.size()]);
  std::copy(text.begin(), text.end(), copy.get());
  return RunEverything(std::string_view(copy.get(), text.size()));
}

bool RunPrefixes(std::string_view text) {
  bool is_good = RunExactly(text);
  for (size_t size = 0; size < text.size(); size += size < kEveryPrefixBytes ? 1 : kStride) {
    is_good &= RunExactly(text.substr(0, size));
  }
  return is_good;
}

// Each byte in turn replaced by what a parser may trip over.
bool RunMutations(std::string_view text) {
  std::string changed(text);
  bool is_good = true;
  for (size_t index = 0; index < changed.size(); ++index) {
    for (const char byte : {'\0', '\n', ' ', ':', '-', '9', '\xff'}) {
      changed[index] = byte;
      is_good &= RunExactly(changed);
    }
    changed[index] = text[index];
  }
  return is_good;
}

// The whole way of a meminfo read, into a string that has room.
bool MemInfoDoesNotAllocate() {
  std::string text;
  text.reserve(size_t{16} * 1024);
  core::TextWriter out(text);
  const uint64_t before = CountAllocations();
  const auto host = core::proc::ParseMemInfo(kMemInfoText);
  core::cgroup::Memory memory;
  memory.limit_bytes = 1 << 30;
  memory.stat = *core::cgroup::ParseMemoryStatV2(kMemoryStatV2Text);
  const auto v1 = core::cgroup::ParseMemoryStatV1(kMemoryStatV1Text);
  core::render::Sheet sheet;
  sheet.host_meminfo = &*host;
  sheet.memory = core::model::DeriveMemoryView(memory, *host, {});
  core::render::RenderMemInfo(sheet, out);
  return v1.has_value() && !text.empty() && CountAllocations() == before;
}

bool AllocationsAreCounted() {
  const uint64_t before = CountAllocations();
  // A compiler may leave out a new expression, but not this call.
  void* const memory = ::operator new(1);
  ::operator delete(memory);
  return CountAllocations() == before + 1;
}

void CheckSamples(Counts& counts) {
  for (const std::string_view text : kSampleTexts) {
    const std::string_view name = text.substr(0, text.find('\n'));
    counts.Add(name, RunPrefixes(text));
    counts.Add(name, RunMutations(text));
  }
}

// The text behind each "=== ..." header; all of it when there is none.
std::set<std::string_view> SplitTree(std::string_view text) {
  std::set<std::string_view> texts;
  size_t begin = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const size_t line_begin = text.size() - rest.size();
    if (!core::TakeLine(rest).starts_with("=== ")) continue;
    texts.insert(text.substr(begin, line_begin - begin));
    begin = text.size() - rest.size();
  }
  texts.insert(text.substr(begin));
  return texts;
}

// False when it cannot be read.
bool CheckFile(const char* path, Counts& counts) {
  core::FileBuffer buffer;
  const auto text = core::ReadFileAt(AT_FDCWD, path, buffer);
  if (!text) {
    (void)std::fprintf(stderr, "failed: cannot read %s\n", path);
    return false;
  }
  bool is_good = true;
  for (const std::string_view each : SplitTree(*text)) is_good &= RunPrefixes(each);
  counts.Add(path, is_good);
  return true;
}

// `words`: PROC CGROUP SYS PID FILE.
int PrintAllocations(const std::vector<std::string_view>& words) {
  const auto pid = words.size() == 5 ? core::ParseU64(words[3]) : std::nullopt;
  if (!pid) return 2;
  const auto count = CountAllocationsOfRead({.proc_root = std::string(words[0]),
                                             .cgroup_root = std::string(words[1]),
                                             .sys_root = std::string(words[2]),
                                             .pid = static_cast<pid_t>(*pid)},
                                            words[4]);
  if (!count) {
    const core::Error& error = count.error();
    (void)std::fprintf(stderr, "failed: %s %s\n", error.operation, error.path.c_str());
    return 1;
  }
  (void)std::printf("%s\n", std::to_string(*count).c_str());
  return 0;
}

int Main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "--allocations") {
    return PrintAllocations(std::vector<std::string_view>(argv + 2, argv + argc));
  }
  Counts counts;
  if (testing::kCountsAllocations) {
    counts.Add("allocations are counted", AllocationsAreCounted());
    counts.Add("meminfo does not allocate", MemInfoDoesNotAllocate());
  }
  counts.Add("counters are found again", CountersAreFoundAgain());
  counts.Add("half a record does not count", HalfARecordDoesNotCount());
  counts.Add("the oldest counters make way", TheOldestCountersMakeWay());
  counts.Add("two map counters at once", TwoMapItAtOnce());
  counts.Add("released counters are not written", ReleasedCountersAreNotWritten());
  counts.Add("a young value is given meanwhile", AYoungValueIsGivenMeanwhile());
  counts.Add("an old value is waited for", AnOldValueIsWaitedFor());
  counts.Add("an old value is given where that is wanted", AnOldValueIsGivenWhereThatIsWanted());
  CheckSamples(counts);
  bool all_read = true;
  for (int index = 1; index < argc; ++index) all_read &= CheckFile(argv[index], counts);
  (void)std::printf("%d passed, %d failed\n", counts.passed, counts.failed);
  if (!all_read) return 2;
  return counts.failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace testing

int main(int argc, char** argv) {
  return testing::Main(argc, argv);
}
