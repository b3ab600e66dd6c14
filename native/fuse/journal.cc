// SPDX-License-Identifier: Apache-2.0
#include "fuse/journal.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <span>

#include "core/base/grow_file.h"
#include "core/base/result.h"
#include "core/engine/quarantine.h"
#include "fuse/ring_memory.h"
#include "fuse/triggers.h"

namespace fuse_layer {
namespace {

using core::Error;
using core::Result;
using core::SystemError;

constexpr uint32_t kVersion = 1;
constexpr uint32_t kVersionWithRings = 2;
constexpr size_t kInitBytesMax = 1024;
constexpr const char* kPath = "journal";

}  // namespace

struct Journal::Layout {
  uint32_t version;  // 0: nobody has used it yet
  uint32_t init_length;
  char init[kInitBytesMax];
  std::array<RequestSlot, kSlots> slots;
  uint64_t replays;
  uint64_t refusals;
  std::array<TriggerSlot, Triggers::kSlots> triggers;
  core::engine::QuarantineMemory quarantine;
};

size_t RequestSlot::Length() const {
  uint32_t length = 0;
  std::memcpy(&length, bytes_, sizeof length);
  return std::min<size_t>(length, kBytes);
}

void RequestSlot::Clear() {
  deaths_ = 0;
  // Last: whoever sees a request must see its deaths.
  std::atomic_signal_fence(std::memory_order_release);
  std::memset(bytes_, 0, sizeof(uint32_t));
}

Result<std::unique_ptr<Journal>> Journal::Map(int fd, size_t index) {
  static_assert(sizeof(Layout) <= kBytes);
  const auto offset = static_cast<off_t>(index * kBytes);
  const off_t end = offset + static_cast<off_t>(kBytes);
  if (!core::GrowFile(fd, end)) return SystemError("size", kPath);
  void* const memory = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
  if (memory == MAP_FAILED) return SystemError("map", kPath);
  std::unique_ptr<Journal> journal(new Journal(static_cast<Layout*>(memory), fd, index));
  uint32_t& version = journal->layout_->version;
  if (version > kVersionWithRings) {
    return Error{.errno_value = EINVAL, .operation = "use", .path = kPath};
  }
  if (version == 0) version = kVersion;
  return journal;
}

Journal::~Journal() {
  munmap(layout_, kBytes);
}

RequestSlot& Journal::Slot(size_t index) {
  return layout_->slots[index];
}

std::span<char> Journal::InitRequest() {
  return {layout_->init, std::min<size_t>(layout_->init_length, kInitBytesMax)};
}

void Journal::SaveInitRequest(std::span<const char> request) {
  const size_t length = std::min(request.size(), kInitBytesMax);
  std::memcpy(layout_->init, request.data(), length);
  // Last: a process that ends in between has not been seen to begin.
  std::atomic_signal_fence(std::memory_order_release);
  layout_->init_length = static_cast<uint32_t>(length);
}

uint64_t Journal::Replays() const {
  return std::atomic_ref(layout_->replays).load(std::memory_order_relaxed);
}

uint64_t Journal::Refusals() const {
  return std::atomic_ref(layout_->refusals).load(std::memory_order_relaxed);
}

void Journal::CountReplay() {
  std::atomic_ref(layout_->replays).fetch_add(1, std::memory_order_relaxed);
}

void Journal::CountRefusal() {
  std::atomic_ref(layout_->refusals).fetch_add(1, std::memory_order_relaxed);
}

bool Journal::HasRings() const {
  return layout_->version == kVersionWithRings;
}

void Journal::SetHasRings(bool has_rings) {
  layout_->version = has_rings ? kVersionWithRings : kVersion;
}

std::span<TriggerSlot> Journal::Triggers() {
  return layout_->triggers;
}

core::engine::QuarantineMemory& Journal::Quarantine() {
  return layout_->quarantine;
}

Result<std::unique_ptr<RingMemory>> Journal::MapRings(size_t cpus) const {
  return RingMemory::Map(fd_, index_, cpus);
}

}  // namespace fuse_layer
