// SPDX-License-Identifier: Apache-2.0
#include "fuse/ring_memory.h"

#include <linux/fuse.h>
#include <sys/mman.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <span>

#include "core/base/grow_file.h"
#include "core/base/link.h"
#include "core/base/read_file.h"
#include "core/base/result.h"
#include "core/proc/pid.h"

namespace fuse_layer {
namespace {

using core::Error;
using core::Result;
using core::SystemError;

constexpr const char* kPath = "ring memory";
constexpr size_t kHeadBytes = 4096;
// Far from where the kernel puts what has no address of its own, in 47 bits.
constexpr uintptr_t kAddress = uintptr_t{0x2000} << 32;
// Behind all else that anybody may keep there; what nobody has written takes no memory.
constexpr off_t kOffset = core::kRingsOffset;
// For more CPUs than there can be.
constexpr size_t kConnectionBytes = core::kRingsBytes;

}  // namespace

struct RingMemory::Head {
  uint32_t cpus;  // 0: nobody has used it yet
  uint32_t entry_bytes;
  std::atomic<uint64_t> generation;
};

std::span<char> RingEntry::KeepRequest() {
  const uint64_t id = header.ring.commit_id;
  if (kept_id == id) return {kept, kept_bytes};
  uint32_t length = 0;
  std::memcpy(&length, header.in_out, sizeof length);
  const size_t payload_bytes = header.ring.payload_bytes;
  const size_t begun = sizeof(fuse_in_header) + payload_bytes;
  const size_t operation_bytes = length - begun;
  if (payload_bytes > kPayloadBytes || length < begun || length > sizeof kept ||
      operation_bytes > sizeof header.operation) {
    return {};
  }
  std::memcpy(kept, header.in_out, sizeof(fuse_in_header));
  std::memcpy(kept + sizeof(fuse_in_header), header.operation, operation_bytes);
  std::memcpy(kept + sizeof(fuse_in_header) + operation_bytes, payload, payload_bytes);
  kept_bytes = length;
  // Last: who sees the id must see all of the request.
  std::atomic_signal_fence(std::memory_order_release);
  kept_id = id;
  return {kept, kept_bytes};
}

bool RingEntry::HasOwner() const {
  if (owner_pid == 0) return false;
  const auto reader = core::proc::PidReader::Open("/proc");
  if (!reader) return false;
  core::FileBuffer buffer;
  const auto stat = reader->ReadStat(owner_pid, buffer);
  return stat && stat->starttime == owner_start && stat->state != 'Z' && stat->state != 'X';
}

Result<std::unique_ptr<RingMemory>> RingMemory::Map(int fd, size_t index, size_t cpus) {
  const size_t size = kHeadBytes + cpus * kBytesPerCpu;
  const size_t place = index * kConnectionBytes;
  const off_t offset = kOffset + static_cast<off_t>(place);
  const off_t end = offset + static_cast<off_t>(size);
  if (!core::GrowFile(fd, end)) return SystemError("size", kPath);
  void* const wanted = reinterpret_cast<void*>(kAddress + place);  // NOLINT: a fixed place
  void* const memory =
      mmap(wanted, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED_NOREPLACE, fd, offset);
  if (memory == MAP_FAILED) return SystemError("map", kPath);
  std::unique_ptr<RingMemory> ring(new RingMemory(memory, cpus));
  auto& head = *static_cast<Head*>(memory);
  const bool is_new = head.cpus == 0;
  if (!is_new && (head.cpus != cpus || head.entry_bytes != sizeof(RingEntry))) {
    return Error{.errno_value = EINVAL, .operation = "use", .path = kPath};
  }
  head.entry_bytes = sizeof(RingEntry);
  head.cpus = static_cast<uint32_t>(cpus);
  return ring;
}

RingMemory::~RingMemory() {
  munmap(memory_, kHeadBytes + cpus_ * kBytesPerCpu);
}

RingEntry& RingMemory::Entry(size_t cpu, size_t index) {
  const size_t place = kHeadBytes + cpu * kBytesPerCpu + index * sizeof(RingEntry);
  return *reinterpret_cast<RingEntry*>(memory_ + place);
}

std::atomic<uint64_t>& RingMemory::Generation() {
  return reinterpret_cast<Head*>(memory_)->generation;
}

}  // namespace fuse_layer
