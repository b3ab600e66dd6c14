// SPDX-License-Identifier: Apache-2.0
// operator new and delete, for a program that ends soon and has a child in the same memory that may
// be killed at any moment: nothing is ever half done, and nothing is given back.
//
// Source: C++ [replacement.functions].
// Units:  bytes.
// Errors: ends the process when there is no memory, as operator new does without exceptions.
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace {

struct Chunk {
  size_t size;
  std::atomic<size_t> used;  // from the chunk's begin, this header included
};

constexpr size_t kAlignment = __STDCPP_DEFAULT_NEW_ALIGNMENT__;
constexpr size_t kHeader = (sizeof(Chunk) + kAlignment - 1) / kAlignment * kAlignment;
constexpr size_t kChunkBytes = size_t{1} << 20;

std::atomic<Chunk*> newest = nullptr;

void* TakeFrom(Chunk* chunk, size_t size) {
  if (chunk == nullptr) return nullptr;
  const size_t at = chunk->used.fetch_add(size, std::memory_order_relaxed);
  if (at > chunk->size || chunk->size - at < size) return nullptr;
  return reinterpret_cast<char*>(chunk) + at;
}

Chunk* MakeChunk(size_t size) {
  void* const memory =
      mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) std::abort();
  return new (memory) Chunk{.size = size, .used = kHeader};
}

}  // namespace

void* operator new(size_t size) {
  const size_t rounded = (size + kAlignment - 1) / kAlignment * kAlignment;
  if (void* const taken = TakeFrom(newest.load(), rounded)) return taken;
  Chunk* const chunk = MakeChunk(std::max(kChunkBytes, kHeader + rounded));
  newest.store(chunk);
  return TakeFrom(chunk, rounded);
}

void operator delete(void* /*memory*/) noexcept {}
void operator delete(void* /*memory*/, size_t /*size*/) noexcept {}
