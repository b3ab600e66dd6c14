// SPDX-License-Identifier: Apache-2.0
#include "fuse/ring_support.h"

#include <fcntl.h>
#include <linux/fuse.h>
#include <string.h>
#include <sys/utsname.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>

#include "core/base/cpu_set.h"
#include "core/base/read_file.h"
#include "core/base/result.h"
#include "fuse/pinned_thread.h"
#include "fuse/ring_abi.h"

namespace fuse_layer {
namespace {

using core::CpuSet;
using core::Result;

constexpr const char* kParameter = "/sys/module/fuse/parameters/enable_uring";
constexpr const char* kDisabled = "/proc/sys/kernel/io_uring_disabled";
constexpr const char* kPossible = "/sys/devices/system/cpu/possible";
constexpr const char* kOnline = "/sys/devices/system/cpu/online";

Result<CpuSet> ReadCpus(const char* path) {
  core::FileBuffer buffer;
  const auto text = core::ReadFileAt(AT_FDCWD, path, buffer);
  if (!text) return text.error();
  return core::ParseCpuList(*text);
}

// The first character of a switch of the kernel's.
std::optional<char> ReadSwitch(const char* path) {
  core::FileBuffer buffer;
  const auto text = core::ReadFileAt(AT_FDCWD, path, buffer);
  if (!text || text->empty()) return std::nullopt;
  return text->front();
}

bool IsOffered(std::span<const char> init) {
  fuse_in_header header{};
  fuse_init_in body{};
  const size_t known = sizeof header + offsetof(fuse_init_in, flags2) + sizeof body.flags2;
  if (init.size() < known) return false;
  std::memcpy(&body, init.data() + sizeof header, known - sizeof header);
  return (body.flags & FUSE_INIT_EXT) != 0 && (body.flags2 & kOverIoUring) != 0;
}

// A reader on a CPU that no thread of ours may run on could not be helped after a crash.
std::string WhyNotOnEveryCpu() {
  const auto online = ReadCpus(kOnline);
  if (!online) return "cannot read " + std::string(kOnline);
  std::string why;
  std::thread([&] {
    for (uint32_t cpu = online->Next(0); cpu < CpuSet::kMaxCpus; cpu = online->Next(cpu + 1)) {
      if (PinThread(cpu)) continue;
      why = "CPU " + std::to_string(cpu) + " is outside of this process's cpuset";
      return;
    }
  }).join();
  return why;
}

}  // namespace

Result<size_t> CountPossibleCpus() {
  const auto possible = ReadCpus(kPossible);
  if (!possible) return possible.error();
  return size_t{possible->Count()};
}

std::string WhyNoRings(std::span<const char> init) {
  if (ReadSwitch(kDisabled) == '2') return "kernel.io_uring_disabled is 2";
  if (!IsOffered(init)) {
    utsname system{};
    (void)uname(&system);
    const auto parameter = ReadSwitch(kParameter);
    const std::string kernel = "Linux " + std::string(system.release);
    if (!parameter) return kernel + " has no FUSE over io_uring, expected 6.14 or newer";
    if (*parameter != 'Y') return "the kernel's parameter fuse.enable_uring is off";
    return "fuse.enable_uring was off when the connection began";
  }
  return WhyNotOnEveryCpu();
}

std::string WhyNoRings(const core::Error& error) {
  return "cannot " + std::string(error.operation) + " " + error.path + ": " +
         strerrordesc_np(error.errno_value);
}

}  // namespace fuse_layer
