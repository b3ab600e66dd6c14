// SPDX-License-Identifier: Apache-2.0
// The texts of kernel files as they were read, for who asks where a number comes from.
//
// Source: none.
// Units:  none.
// Errors: none.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace core {

struct ReadText {
  std::string path;  // as the file is found from this process
  std::string text;
};

// In the order of reading.
using ReadLog = std::vector<ReadText>;

// Of the file `path` below the directory `dir_fd`.
void AppendRead(int dir_fd, std::string_view path, std::string_view text, ReadLog& log);

}  // namespace core
