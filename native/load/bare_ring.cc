// SPDX-License-Identifier: Apache-2.0
// lensfs-bare-ring: serves copies of five of the host's files with FUSE over io_uring, and does
// nothing else: the most that this transport gives. For benchmarks only.
//
//   lensfs-bare-ring DIRECTORY        mounts at DIRECTORY, serves until it is killed or unmounted
//
// Source: native/fuse/ring_abi.h.
#include <fcntl.h>
#include <linux/fuse.h>
#include <sys/mount.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/base/fd.h"
#include "core/base/read_file.h"
#include "fuse/pinned_thread.h"
#include "fuse/ring_abi.h"
#include "fuse/ring_support.h"
#include "fuse/uring.h"
#include "load/bare_files.h"

namespace {

using fuse_layer::RingCommand;
using fuse_layer::RingHeader;
using fuse_layer::Uring;
using load::BareFile;
using load::BareFiles;
using load::BareReply;

constexpr size_t kPageBytes = 4096;
constexpr uint16_t kPagesMax = 4;
constexpr size_t kPayloadBytes = kPagesMax * kPageBytes;
constexpr uint32_t kMinorMax = 42;

struct Entry {
  RingHeader header;
  alignas(kPageBytes) std::array<char, kPayloadBytes> payload;
};

[[noreturn]] void Fail(const char* what, int error) {
  (void)std::fprintf(stderr, "lensfs-bare-ring: cannot %s: errno %d\n", what, error);
  std::_Exit(1);
}

// One request at a time, of the readers on one CPU.
void ServeQueue(int fuse_fd, uint16_t cpu, const BareFiles& files) {
  // A CPU that is offline has no readers.
  (void)fuse_layer::PinThread(cpu);
  const auto uring = Uring::Open();
  if (!uring) Fail("set up io_uring", uring.error().errno_value);
  const auto entry = std::make_unique<Entry>();
  iovec buffers[2] = {{.iov_base = &entry->header, .iov_len = sizeof entry->header},
                      {.iov_base = entry->payload.data(), .iov_len = entry->payload.size()}};
  const auto hand_in = [&](uint32_t operation) {
    const RingCommand command{
        .flags = 0, .commit_id = entry->header.ring.commit_id, .queue = cpu, .padding = {}};
    (*uring)->Prepare(fuse_fd,
                      operation,
                      {reinterpret_cast<const char*>(&command), sizeof command},
                      reinterpret_cast<uint64_t>(buffers),
                      2);
  };
  hand_in(fuse_layer::kRingRegister);
  for (;;) {
    const int cause = (*uring)->Enter(true);
    const auto result = (*uring)->Take();
    if (cause != 0 && cause != EINTR) Fail("wait for requests", cause);
    if (!result) continue;
    if (*result < 0) return;  // unmounted
    fuse_in_header request{};
    std::memcpy(&request, entry->header.in_out, sizeof request);
    const BareReply reply =
        files.Answer(request, entry->header.operation, entry->payload.data(), entry->payload);
    const fuse_out_header head{.len = static_cast<uint32_t>(sizeof head + reply.bytes),
                               .error = reply.error,
                               .unique = request.unique};
    std::memcpy(entry->header.in_out, &head, sizeof head);
    entry->header.ring.payload_bytes = static_cast<uint32_t>(reply.bytes);
    hand_in(fuse_layer::kRingCommitAndFetch);
  }
}

bool Write(int fuse_fd, uint64_t unique, int error, std::span<const char> body) {
  const fuse_out_header head{
      .len = static_cast<uint32_t>(sizeof head + body.size()), .error = error, .unique = unique};
  const iovec parts[2] = {{.iov_base = const_cast<fuse_out_header*>(&head), .iov_len = sizeof head},
                          {.iov_base = const_cast<char*>(body.data()), .iov_len = body.size()}};
  return writev(fuse_fd, parts, 2) >= 0;
}

void Begin(int fuse_fd, const fuse_in_header& request) {
  fuse_init_out init{};
  init.major = FUSE_KERNEL_VERSION;
  init.minor = kMinorMax;
  init.max_write = kPageBytes;
  init.max_pages = kPagesMax;
  init.flags = FUSE_MAX_PAGES | FUSE_INIT_EXT;
  init.flags2 = fuse_layer::kOverIoUring;
  const auto* const body = reinterpret_cast<const char*>(&init);
  if (!Write(fuse_fd, request.unique, 0, {body, sizeof init})) Fail("begin", errno);
}

// What comes before the rings do, and what never comes by them. Returns when there is no more.
void ServeDescriptor(int fuse_fd, const BareFiles& files) {
  std::vector<std::jthread> queues;
  std::vector<char> incoming(FUSE_MIN_READ_BUFFER + kPayloadBytes);
  std::vector<char> payload(kPayloadBytes);
  for (;;) {
    const ssize_t count = read(fuse_fd, incoming.data(), incoming.size());
    if (count < 0 && (errno == EINTR || errno == ENOENT || errno == EAGAIN)) continue;
    if (count < 0) return;
    fuse_in_header request{};
    std::memcpy(&request, incoming.data(), sizeof request);
    const std::span<const char> body(incoming.data() + sizeof request,
                                     static_cast<size_t>(count) - sizeof request);
    if (request.opcode == FUSE_INIT) {
      Begin(fuse_fd, request);
      const auto cpus = fuse_layer::CountPossibleCpus();
      if (!cpus) Fail("count CPUs", cpus.error().errno_value);
      for (size_t cpu = 0; cpu < *cpus; ++cpu) {
        queues.emplace_back(
            [=, &files] { ServeQueue(fuse_fd, static_cast<uint16_t>(cpu), files); });
      }
    } else if (request.opcode != FUSE_FORGET && request.opcode != FUSE_BATCH_FORGET &&
               request.opcode != FUSE_INTERRUPT) {
      const BareReply reply = files.Answer(request, body, body.data(), payload);
      (void)Write(fuse_fd, request.unique, reply.error, {payload.data(), reply.bytes});
    }
  }
}

BareFile CopyOf(const std::string& name) {
  core::FileBuffer buffer;
  const auto text = core::ReadFileAt(AT_FDCWD, ("/proc/" + name).c_str(), buffer);
  if (!text) Fail("read the host's file", text.error().errno_value);
  return {.name = name, .bytes = std::string(*text)};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    (void)std::fputs("usage: lensfs-bare-ring DIRECTORY\n", stderr);
    return 2;
  }
  const BareFiles files(
      {CopyOf("meminfo"), CopyOf("stat"), CopyOf("loadavg"), CopyOf("uptime"), CopyOf("cpuinfo")});
  const core::Fd fuse(open("/dev/fuse", O_RDWR | O_CLOEXEC));
  if (!fuse.valid()) Fail("open /dev/fuse", errno);
  const std::string options =
      "fd=" + std::to_string(fuse.get()) + ",rootmode=40000,user_id=0,group_id=0,allow_other";
  constexpr uint64_t kFlags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
  if (mount("lensfs-bench", argv[1], "fuse.lensfs-bench", kFlags, options.c_str()) != 0) {
    Fail("mount", errno);
  }
  ServeDescriptor(fuse.get(), files);
  return 0;
}
