// SPDX-License-Identifier: Apache-2.0
// Holds resources for a capture, until it is killed:
//
//   workload anon MIB     anonymous memory, every page touched
//   workload huge MIB     the same, with transparent huge pages asked for
//   workload threads N    N threads that sleep, besides the main thread; the last one is busy

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const size_t kMebibyte = 1024 * 1024;
static const size_t kHugePage = 2 * 1024 * 1024;

static void Hold(size_t size, int advice) {
  char* const area =
      mmap(NULL, size + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (area == MAP_FAILED) exit(1);
  madvise(area, size + kHugePage, advice);
  memset(area, 'x', size);
}

static void* Sleep(void* unused) {
  for (;;) pause();
  return unused;
}

static void* Burn(void* unused) {
  for (volatile unsigned long i = 0;; ++i) {
  }
  return unused;
}

int main(int argc, char** argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: workload anon|huge MIB, workload threads N\n");
    return 2;
  }
  const size_t amount = strtoul(argv[2], NULL, 10);
  if (strcmp(argv[1], "anon") == 0) Hold(amount * kMebibyte, MADV_NOHUGEPAGE);
  if (strcmp(argv[1], "huge") == 0) Hold(amount * kMebibyte, MADV_HUGEPAGE);
  if (strcmp(argv[1], "threads") == 0) {
    for (size_t i = 0; i < amount; ++i) {
      pthread_t thread;
      if (pthread_create(&thread, NULL, i + 1 < amount ? Sleep : Burn, NULL) != 0) return 1;
    }
  }
  Sleep(NULL);
}
