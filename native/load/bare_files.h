// SPDX-License-Identifier: Apache-2.0
// A file system of a few files whose bytes never change: <root>/proc/NAME. Answers FUSE requests
// with the least work there can be.
//
// Source: linux/fuse.h.
// Units:  bytes.
// Errors: negative errno in a reply.
#pragma once

#include <linux/fuse.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace load {

struct BareFile {
  std::string name;
  std::string bytes;
};

struct BareReply {
  int error = 0;
  size_t bytes = 0;  // in the payload
};

class BareFiles {
 public:
  explicit BareFiles(std::vector<BareFile> files) : files_(std::move(files)) {}

  // `operation` is the struct of the request's kind, `name` what LOOKUP is about; `payload` has
  // room for every reply.
  [[nodiscard]] BareReply Answer(const fuse_in_header& request,
                                 std::span<const char> operation,
                                 std::string_view name,
                                 std::span<char> payload) const;

 private:
  static constexpr uint64_t kDirectory = FUSE_ROOT_ID + 1;
  static constexpr uint64_t kFirstFile = kDirectory + 1;

  [[nodiscard]] uint64_t Find(uint64_t parent, std::string_view name) const;
  [[nodiscard]] fuse_attr AttributesOf(uint64_t node) const;

  std::vector<BareFile> files_;
};

}  // namespace load
