// SPDX-License-Identifier: Apache-2.0
// The requests that a connection's readers are answering, in memory that outlives the process: what
// a successor must know to go on as if nothing had happened.
//
// Source: fuse(4); the first bytes of a request are its length, so a slot that begins with 0 is
//         empty, and the kernel fills a slot and says so in one step.
// Units:  bytes.
// Errors: errno of sizing and mapping the memory; EINVAL for memory that is not a journal of ours.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "core/base/link.h"
#include "core/base/result.h"
#include "core/engine/quarantine.h"
#include "fuse/ring_memory.h"
#include "fuse/triggers.h"

namespace fuse_layer {

// Where one reader thread receives its requests.
class RequestSlot {
 public:
  // The kernel demands room for max_write and a header; requests of a read-only tree are far
  // smaller.
  static constexpr size_t kBytes = 64 * 1024 + 4096;

  [[nodiscard]] std::span<char> Room() { return bytes_; }
  // Of the request in the slot; 0: there is none.
  [[nodiscard]] size_t Length() const;
  void Clear();
  // How many processes have ended while they answered this request, for no other known reason.
  [[nodiscard]] uint32_t Deaths() const { return deaths_; }
  void CountDeath() { ++deaths_; }

 private:
  uint32_t deaths_;
  [[maybe_unused]] uint32_t reserved_;  // what follows is aligned as requests are
  char bytes_[kBytes];
};

// One connection's part of the memory. All of it is valid when it is zero.
class Journal {
 public:
  static constexpr size_t kSlots = 33;
  static constexpr size_t kBytes = core::kJournalBytes;

  // Maps `index`th journal in `fd`, which is made large enough. The descriptor stays the caller's,
  // and must stay open as long as the journal.
  static core::Result<std::unique_ptr<Journal>> Map(int fd, size_t index);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  [[nodiscard]] RequestSlot& Slot(size_t index);

  // The request that began the connection; the kernel sends it once. Empty when there was none yet.
  [[nodiscard]] std::span<char> InitRequest();
  void SaveInitRequest(std::span<const char> request);

  // No request that is in a slot now has to do with the predecessor's end.
  void Forgive() { forgives_ = true; }
  [[nodiscard]] bool Forgives() const { return forgives_; }

  // Since the connection began, by all processes.
  [[nodiscard]] uint64_t Replays() const;   // requests that were answered for a predecessor
  [[nodiscard]] uint64_t Refusals() const;  // those that were not, having ended too many
  void CountReplay();
  void CountRefusal();

  // Whether the connection's requests come through rings, which is for its whole life. Builds that
  // do not know rings refuse such a journal.
  [[nodiscard]] bool HasRings() const;
  void SetHasRings(bool has_rings);
  [[nodiscard]] std::span<TriggerSlot> Triggers();
  // Shared by all connections: only that of the first journal is used.
  [[nodiscard]] core::engine::QuarantineMemory& Quarantine();
  // Memory for rings, behind all journals.
  [[nodiscard]] core::Result<std::unique_ptr<RingMemory>> MapRings(size_t cpus) const;

 private:
  struct Layout;
  Journal(Layout* layout, int fd, size_t index) : layout_(layout), fd_(fd), index_(index) {}

  Layout* layout_;
  int fd_;
  size_t index_;
  bool forgives_ = false;
};

}  // namespace fuse_layer
