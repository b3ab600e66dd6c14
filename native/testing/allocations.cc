// SPDX-License-Identifier: Apache-2.0
#include "testing/allocations.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace testing {
namespace {

std::atomic<uint64_t> allocation_count{0};

}  // namespace

uint64_t CountAllocations() {
  return allocation_count.load();
}

}  // namespace testing

#ifndef LENSFS_HAS_SANITIZER

// The other forms of new and delete end in these.
void* operator new(size_t size) {
  testing::allocation_count.fetch_add(1);
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) std::abort();
  return memory;
}

void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t /*size*/) noexcept {
  std::free(memory);
}

#endif
