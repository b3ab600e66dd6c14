// SPDX-License-Identifier: Apache-2.0
// An io_uring with one entry, for one task: a command is handed in, and its completion waited for.
//
// Source: io_uring(7), with entries of 128 bytes for commands (Linux 5.19).
// Units:  none.
// Errors: errno of io_uring_setup (EPERM: kernel.io_uring_disabled), mmap and io_uring_enter.
#pragma once

#include <linux/io_uring.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "core/base/fd.h"
#include "core/base/result.h"

namespace fuse_layer {

class Uring {
 public:
  static constexpr size_t kCommandBytes = 80;

  static core::Result<std::unique_ptr<Uring>> Open();
  ~Uring();
  Uring(const Uring&) = delete;
  Uring& operator=(const Uring&) = delete;

  // Puts a command for `fd` in the queue; Enter() hands it in. `buffer` and `count` are what the
  // command is about.
  void Prepare(
      int fd, uint32_t operation, std::span<const char> command, uint64_t buffer, uint32_t count);
  // Hands in what was prepared, and waits for a completion if so wanted. 0, or an errno; EINTR for
  // a signal.
  int Enter(bool waits);
  // The result of what has completed.
  std::optional<int> Take();

 private:
  Uring() = default;
  struct Mapping {
    char* memory = nullptr;
    size_t size = 0;
  };
  int MapQueues(const io_uring_params& params);

  core::Fd fd_;
  Mapping submissions_;
  Mapping completions_;
  Mapping entries_;
  uint32_t* submission_tail_ = nullptr;
  uint32_t submission_mask_ = 0;
  uint32_t* submission_array_ = nullptr;
  uint32_t* completion_head_ = nullptr;
  uint32_t* completion_tail_ = nullptr;
  uint32_t completion_mask_ = 0;
  io_uring_cqe* results_ = nullptr;
  uint32_t prepared_ = 0;
};

}  // namespace fuse_layer
