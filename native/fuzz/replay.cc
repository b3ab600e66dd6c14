// SPDX-License-Identifier: Apache-2.0
// fuzz TARGET FILE...: a target on files, without libFuzzer. Ends with SIGABRT for a failed check,
// with 2 for a target that is not known or a file that cannot be read.
#include <fcntl.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string_view>

#include "core/base/read_file.h"
#include "fuzz/targets.h"

int main(int argc, char** argv) {
  const auto target = fuzz::FindTarget(argc > 1 ? argv[1] : "");
  if (!target) {
    (void)std::fprintf(stderr, "usage: fuzz TARGET FILE...\n");
    return 2;
  }
  core::FileBuffer buffer;
  for (int index = 2; index < argc; ++index) {
    const auto text = core::ReadFileAt(AT_FDCWD, argv[index], buffer);
    if (!text) {
      (void)std::fprintf(stderr, "failed: cannot read %s\n", argv[index]);
      return 2;
    }
    // Without a byte to spare, for sanitizers.
    const std::unique_ptr<char[]> copy(new char[text->size()]);
    std::copy(text->begin(), text->end(), copy.get());
    fuzz::RunOrAbort(*target, {copy.get(), text->size()});
  }
  (void)std::printf("%d files\n", argc - 2);
  return 0;
}
