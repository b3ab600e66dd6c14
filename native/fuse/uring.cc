// SPDX-License-Identifier: Apache-2.0
#include "fuse/uring.h"

#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>

#include "core/base/result.h"

namespace fuse_layer {
namespace {

using core::Result;
using core::SystemError;

constexpr unsigned kEntries = 2;
constexpr size_t kEntryBytes = 128;
constexpr size_t kCommandAt = 48;

char* MapRing(int fd, size_t size, uint64_t what) {
  void* const memory = mmap(nullptr,
                            size,
                            PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_POPULATE,
                            fd,
                            static_cast<off_t>(what));
  return memory == MAP_FAILED ? nullptr : static_cast<char*>(memory);
}

uint32_t* WordAt(char* memory, uint32_t offset) {
  return reinterpret_cast<uint32_t*>(memory + offset);
}

}  // namespace

Result<std::unique_ptr<Uring>> Uring::Open() {
  std::unique_ptr<Uring> ring(new Uring());
  io_uring_params params{};
  params.flags = IORING_SETUP_SQE128;
  ring->fd_.reset(static_cast<int>(syscall(SYS_io_uring_setup, kEntries, &params)));
  if (!ring->fd_.valid()) return SystemError("set up", "io_uring");
  const int mapped = ring->MapQueues(params);
  if (mapped != 0) {
    return core::Error{.errno_value = mapped, .operation = "map", .path = "io_uring"};
  }
  return ring;
}

int Uring::MapQueues(const io_uring_params& params) {
  submissions_.size = params.sq_off.array + params.sq_entries * sizeof(uint32_t);
  completions_.size = params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe);
  entries_.size = params.sq_entries * kEntryBytes;
  submissions_.memory = MapRing(fd_.get(), submissions_.size, IORING_OFF_SQ_RING);
  completions_.memory = MapRing(fd_.get(), completions_.size, IORING_OFF_CQ_RING);
  entries_.memory = MapRing(fd_.get(), entries_.size, IORING_OFF_SQES);
  if (submissions_.memory == nullptr || completions_.memory == nullptr ||
      entries_.memory == nullptr) {
    return errno;
  }
  submission_tail_ = WordAt(submissions_.memory, params.sq_off.tail);
  submission_mask_ = *WordAt(submissions_.memory, params.sq_off.ring_mask);
  submission_array_ = WordAt(submissions_.memory, params.sq_off.array);
  completion_head_ = WordAt(completions_.memory, params.cq_off.head);
  completion_tail_ = WordAt(completions_.memory, params.cq_off.tail);
  completion_mask_ = *WordAt(completions_.memory, params.cq_off.ring_mask);
  results_ = reinterpret_cast<io_uring_cqe*>(completions_.memory + params.cq_off.cqes);
  return 0;
}

Uring::~Uring() {
  for (const Mapping& mapping : {submissions_, completions_, entries_}) {
    if (mapping.memory != nullptr) munmap(mapping.memory, mapping.size);
  }
}

void Uring::Prepare(
    int fd, uint32_t operation, std::span<const char> command, uint64_t buffer, uint32_t count) {
  const uint32_t tail = *submission_tail_;
  const uint32_t index = tail & submission_mask_;
  char* const entry = entries_.memory + index * kEntryBytes;
  std::memset(entry, 0, kEntryBytes);
  auto& fields = *reinterpret_cast<io_uring_sqe*>(entry);
  fields.opcode = IORING_OP_URING_CMD;
  fields.fd = fd;
  fields.cmd_op = operation;
  fields.addr = buffer;
  fields.len = count;
  std::memcpy(entry + kCommandAt, command.data(), command.size());
  submission_array_[index] = index;
  std::atomic_ref(*submission_tail_).store(tail + 1, std::memory_order_release);
  ++prepared_;
}

int Uring::Enter(bool waits) {
  const int64_t submitted = syscall(SYS_io_uring_enter,
                                    fd_.get(),
                                    prepared_,
                                    waits ? 1 : 0,
                                    waits ? IORING_ENTER_GETEVENTS : 0,
                                    nullptr,
                                    0);
  if (submitted < 0) return errno;
  prepared_ -= static_cast<uint32_t>(submitted);
  return 0;
}

std::optional<int> Uring::Take() {
  const uint32_t head = *completion_head_;
  if (head == std::atomic_ref(*completion_tail_).load(std::memory_order_acquire)) {
    return std::nullopt;
  }
  const int result = results_[head & completion_mask_].res;
  std::atomic_ref(*completion_head_).store(head + 1, std::memory_order_release);
  return result;
}

}  // namespace fuse_layer
