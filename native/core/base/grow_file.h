// SPDX-License-Identifier: Apache-2.0
// Makes a file that several threads and processes map as long as it must be.
//
// Source: fallocate(2).
// Units:  bytes.
// Errors: false, with errno.
#pragma once

#include <fcntl.h>
#include <sys/types.h>

namespace core {

// At least `size` bytes long: unlike ftruncate(2), this takes nothing away from whoever has made it
// longer meanwhile. Its last page is made.
[[nodiscard]] inline bool GrowFile(int fd, off_t size) {
  return fallocate(fd, 0, size - 1, 1) == 0;
}

}  // namespace core
