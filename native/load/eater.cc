// SPDX-License-Identifier: Apache-2.0
// lensfs-eater: takes memory of one kind after the other, as a container does. For benchmarks only.
//
//   lensfs-eater MEMINFO RESULT STEP ...
//
// A STEP is KIND=AMOUNT, which takes so many bytes (of slab: so many files) and keeps them; KIND
// alone, which takes on until the kernel ends it or has no more; `ask`, which reads MEMINFO;
// `first`, which has the kernel end this process before others; `wait`, which prints a line and
// goes on after one from standard input. RESULT gets two numbers of 8 bytes: what MEMINFO said was
// available, swap included, and what was taken since.
#include <fcntl.h>
#include <linux/mman.h>
#include <linux/sockios.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/fd.h"
#include "core/base/read_file.h"
#include "core/base/text.h"

namespace {

constexpr size_t kPiece = size_t{256} * 1024;
constexpr size_t kHugePage = size_t{2} * 1024 * 1024;
constexpr size_t kStack = size_t{1} * 1024 * 1024;
constexpr uint64_t kBytesPerKib = 1024;

struct Shown {
  std::atomic<uint64_t> told;
  std::atomic<uint64_t> taken;
};

// 0: there is no more.
using Take = uint64_t (*)();

char* Map(size_t bytes, int flags, int fd = -1, off_t offset = 0) {
  void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, flags, fd, offset);
  return memory == MAP_FAILED ? nullptr : static_cast<char*>(memory);
}

uint64_t TakeAnonymous() {
  char* const memory = Map(kPiece, MAP_PRIVATE | MAP_ANONYMOUS);
  if (memory == nullptr) return 0;
  // Every page differs, so that the kernel can neither merge nor compress them.
  for (size_t at = 0; at < kPiece; at += sizeof(size_t)) {
    const size_t value = reinterpret_cast<size_t>(memory + at) * 0x9E3779B97F4A7C15U;
    std::memcpy(memory + at, &value, sizeof value);
  }
  return kPiece;
}

uint64_t TakeLocked() {
  char* const memory = Map(kPiece, MAP_PRIVATE | MAP_ANONYMOUS);
  return memory != nullptr && mlock(memory, kPiece) == 0 ? kPiece : 0;
}

uint64_t TakeHuge() {
  char* const memory = Map(kHugePage, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_HUGE_2MB);
  if (memory == nullptr) return 0;
  *memory = 1;
  return kHugePage;
}

// A thread that waits, with all of its stack in use.
uint64_t TakeStack() {
  char* const memory = Map(kStack, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK);
  if (memory == nullptr) return 0;
  std::memset(memory, 1, kStack);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstack(&attributes, memory, kStack);
  pthread_t thread{};
  const auto wait = [](void* /*argument*/) -> void* {
    for (;;) pause();
  };
  return pthread_create(&thread, &attributes, wait, nullptr) == 0 ? kStack : 0;
}

uint64_t TakeShared() {
  static const core::Fd file(memfd_create("eater", MFD_CLOEXEC));
  static off_t end = 0;
  static const std::vector<char> piece(kPiece, 'x');
  const ssize_t written = pwrite(file.get(), piece.data(), piece.size(), end);
  if (written <= 0) return 0;
  end += written;
  return static_cast<uint64_t>(written);
}

// Bytes in a socket without a reader, with the kernel's overhead for each message.
uint64_t TakeSocket() {
  static const std::vector<char> piece(size_t{32} * 1024, 'x');
  static int writer = -1;
  static int held = 0;
  const auto sends = [] {
    return writer >= 0 && send(writer, piece.data(), piece.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0;
  };
  bool has_sent = sends();
  if (!has_sent) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return 0;
    writer = ends[0];
    held = 0;
    has_sent = sends();
  }
  int holds = 0;
  if (!has_sent || ioctl(writer, SIOCOUTQ, &holds) != 0) return 0;
  const int taken = holds - held;
  held = holds;
  return taken <= 0 ? 0 : static_cast<uint64_t>(taken);
}

// Pages of a file that are on the disk already.
uint64_t TakeCache() {
  static const core::Fd file(open("cache", O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  static const std::vector<char> piece(kPiece, 'x');
  if (!file.valid()) return 0;
  if (write(file.get(), piece.data(), piece.size()) != static_cast<ssize_t>(piece.size())) return 0;
  return fsync(file.get()) == 0 ? kPiece : 0;
}

// The kernel's dentries and inodes of new files.
uint64_t TakeSlab() {
  static uint64_t number = 0;
  if (number == 0 && mkdir("slab", 0700) != 0) return 0;
  const std::string path = "slab/a-file-with-a-name-of-some-length-" + std::to_string(++number);
  return core::Fd(open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)).valid() ? 1 : 0;
}

const std::map<std::string_view, Take>& Kinds() {
  static const std::map<std::string_view, Take> kinds = {{"anonymous", TakeAnonymous},
                                                         {"cache", TakeCache},
                                                         {"huge", TakeHuge},
                                                         {"locked", TakeLocked},
                                                         {"shared", TakeShared},
                                                         {"slab", TakeSlab},
                                                         {"sockets", TakeSocket},
                                                         {"stacks", TakeStack}};
  return kinds;
}

uint64_t ReadAvailable(const char* path) {
  core::FileBuffer buffer;
  const auto text = core::ReadFileAt(AT_FDCWD, path, buffer);
  if (!text) return 0;
  uint64_t kib = 0;
  std::string_view lines = *text;
  while (!lines.empty()) {
    std::string_view line = core::TakeLine(lines);
    const std::string_view name = core::TakeWord(line);
    if (name != "MemAvailable:" && name != "SwapFree:") continue;
    kib += core::ParseU64(core::TakeWord(line)).value_or(0);
  }
  return kib * kBytesPerKib;
}

bool Do(std::string_view step, const char* meminfo, Shown& shown) {
  if (step == "ask") {
    shown.told.store(ReadAvailable(meminfo));
    shown.taken.store(0);
    return shown.told.load() != 0;
  }
  if (step == "first") {
    // Not by its number: /proc may be of another pid namespace.
    const core::Fd score(open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
    return score.valid() && write(score.get(), "1000", 4) == 4;
  }
  if (step == "wait") {
    (void)std::puts("ready");
    (void)std::fflush(stdout);
    return std::getchar() != EOF;
  }
  std::string_view amount = step;
  const auto kind = Kinds().find(core::TakeUntil(amount, '='));
  if (kind == Kinds().end()) return false;
  const uint64_t wanted = amount.empty() ? UINT64_MAX : core::ParseU64(amount).value_or(0);
  uint64_t held = 0;
  while (held < wanted) {
    const uint64_t taken = kind->second();
    if (taken == 0) return amount.empty();
    held += taken;
    shown.taken.fetch_add(taken);
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const core::Fd result(open(argv[2], O_RDWR | O_CLOEXEC));
  char* const memory = Map(sizeof(Shown), MAP_SHARED, result.get());
  if (memory == nullptr) return 2;
  auto& shown = *reinterpret_cast<Shown*>(memory);
  for (int index = 3; index < argc; ++index) {
    if (Do(argv[index], argv[1], shown)) continue;
    (void)std::fprintf(stderr, "cannot do \"%s\"\n", argv[index]);
    return 1;
  }
  return 0;
}
