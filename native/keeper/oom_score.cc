// SPDX-License-Identifier: Apache-2.0
#include "keeper/oom_score.h"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>

namespace keeper {
namespace {

constexpr const char* kPath = "/proc/self/oom_score_adj";

}  // namespace

int ReadOomScore() {
  char text[16];
  int score = 0;
  const int fd = open(kPath, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return score;
  const ssize_t length = read(fd, text, sizeof text);
  if (length > 0) std::from_chars(text, text + length, score);
  close(fd);
  return score;
}

void WriteOomScore(int score) {
  char text[16];
  const auto end = std::to_chars(text, text + sizeof text, score).ptr;
  const int fd = open(kPath, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  (void)!write(fd, text, static_cast<size_t>(end - text));
  close(fd);
}

}  // namespace keeper
