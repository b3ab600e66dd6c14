// SPDX-License-Identifier: Apache-2.0
// mount_check DIRECTORY SECONDS: both connections without Node.js, mounted and read by many, for
// builds with sanitizers. Needs root. While they read, the policy changes and the engine ticks.
//
// Prints how many files were read; exits with 1 when one could not be read or was empty, and 2 when
// nothing could be mounted.
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "core/base/fd.h"
#include "core/base/result.h"
#include "core/base/text.h"
#include "core/engine/engine.h"
#include "core/engine/options.h"
#include "core/engine/sheet_maker.h"
#include "fuse/connection.h"
#include "fuse/journal.h"
#include "fuse/pinned_tree.h"
#include "fuse/shared_tree.h"
#include "fuse/ticker.h"
#include "fuse/triggers.h"
#include "mounts/connection_mount.h"

namespace {

using std::chrono::steady_clock;

constexpr size_t kReaders = 6;
constexpr size_t kHandlesMax = 64;
constexpr std::array kFiles{"proc/meminfo",
                            "proc/stat",
                            "proc/cpuinfo",
                            "proc/uptime",
                            "proc/loadavg",
                            "proc/swaps",
                            "proc/vmstat",
                            "proc/pressure/cpu",
                            "sys/devices/system/cpu/online",
                            "sys/devices/system/cpu/cpu0/online"};

// The number of bytes, or -1.
ssize_t ReadFile(const std::string& path) {
  static std::array<char, size_t{64} * 1024> bytes;
  const core::Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return errno == ENOENT ? 1 : -1;
  return read(fd.get(), bytes.data(), bytes.size());
}

// Reads until the pipe is closed; exits with 1 for a failed read.
[[noreturn]] void LiveAsReader(const std::string& root, int go, int results) {
  char byte = 0;
  (void)read(go, &byte, 1);
  uint64_t count = 0;
  pollfd end{.fd = go, .events = POLLIN, .revents = 0};
  while (poll(&end, 1, 0) == 0) {
    for (const char* const file : kFiles) {
      if (ReadFile(root + "/" + file) <= 0) _exit(1);
      ++count;
    }
  }
  (void)write(results, &count, sizeof count);
  _exit(0);
}

core::Result<std::unique_ptr<fuse_layer::Connection>> Mount(auto& tree,
                                                            fuse_layer::Journal& journal,
                                                            const std::string& path) {
  auto fd = mounts::MountConnection(path);
  if (!fd) return fd.error();
  auto connection = fuse_layer::Connect(std::move(*fd), tree, journal);
  if (connection) (*connection)->Start(2, [](int) {});
  return connection;
}

void ChangePolicy(core::engine::Engine& engine, steady_clock::time_point end) {
  core::engine::Scratch scratch;
  for (int round = 0; steady_clock::now() < end; ++round) {
    core::engine::Policy policy;
    policy.freshness = std::chrono::milliseconds(round % 3);
    policy.swap = round % 2 == 0;
    engine.SetPolicy(policy);
    engine.Tick(scratch);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

// False when it could not be mounted.
bool Serve(const std::string& directory, uint64_t seconds, core::Fd go) {
  const core::Fd memory(memfd_create("lensfs-journal", MFD_CLOEXEC));
  auto engine = core::engine::Engine::Open({}, {});
  const auto shared_journal = fuse_layer::Journal::Map(memory.get(), 0);
  const auto pinned_journal = fuse_layer::Journal::Map(memory.get(), 1);
  if (!engine || !shared_journal || !pinned_journal) return false;
  fuse_layer::Triggers triggers(**engine, (*shared_journal)->Triggers());
  fuse_layer::SharedTree shared_tree(**engine, kHandlesMax, triggers);
  fuse_layer::PinnedTree pinned_tree(**engine);
  const std::string shared_path = directory + "/shared";
  const std::string pinned_path = directory + "/pinned";
  const auto shared = Mount(shared_tree, **shared_journal, shared_path);
  if (!shared) return false;
  const auto pinned = Mount(pinned_tree, **pinned_journal, pinned_path);
  if (pinned) {
    const fuse_layer::Ticker ticker(**engine);
    const auto end = steady_clock::now() + std::chrono::seconds(seconds);
    for (size_t i = 0; i < kReaders; ++i) (void)write(go.get(), "g", 1);
    ChangePolicy(**engine, end);
    (void)write(go.get(), "e", 1);
    while (shared_tree.OpenHandles() > 0 && steady_clock::now() < end + std::chrono::seconds(10)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    (void)mounts::Unmount(pinned_path);
  }
  (void)mounts::Unmount(shared_path);
  return pinned.has_value();
}

}  // namespace

int main(int argc, char** argv) {
  const auto seconds = core::ParseU64(argc == 3 ? argv[2] : "");
  if (!seconds) {
    (void)std::fprintf(stderr, "usage: mount_check DIRECTORY SECONDS\n");
    return 2;
  }
  const std::string directory = argv[1];
  (void)mkdir((directory + "/shared").c_str(), 0700);
  (void)mkdir((directory + "/pinned").c_str(), 0700);
  std::array<int, 2> go{};
  std::array<int, 2> results{};
  if (pipe2(go.data(), O_CLOEXEC) != 0 || pipe2(results.data(), O_CLOEXEC) != 0) return 2;
  // Before there are threads.
  for (size_t i = 0; i < kReaders; ++i) {
    if (fork() == 0) {
      close(go[1]);
      LiveAsReader(directory + "/shared", go[0], results[1]);
    }
  }
  close(results[1]);
  const bool is_served = Serve(directory, *seconds, core::Fd(go[1]));
  bool is_good = is_served;
  uint64_t sum = 0;
  for (size_t i = 0; i < kReaders; ++i) {
    int status = 0;
    uint64_t count = 0;
    is_good &= wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (read(results[0], &count, sizeof count) == sizeof count) sum += count;
  }
  (void)std::printf("%s files read\n", std::to_string(sum).c_str());
  if (!is_served) return 2;
  return is_good && sum > 0 ? 0 : 1;
}
