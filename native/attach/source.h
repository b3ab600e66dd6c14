// SPDX-License-Identifier: Apache-2.0
// Where the files of a view come from, as mounts that are nowhere yet.
//
// Source: open_tree(2), mount_setattr(2), move_mount(2); ARCHITECTURE.md has the two trees.
// Units:  none.
// Errors: ENOENT when no daemon serves the file; ENOTCONN when the one that did is dead.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/fd.h"
#include "core/base/result.h"

namespace attach {

// The directories of a daemon.
struct Places {
  std::string tree = "/var/lib/lensfs";
  std::string run_dir = "/run/lensfs";
  // The view's name; without one only the public tree is used.
  std::optional<std::string> view;
};

// Makes the mounts; one for all files of a container, so that each connection is asked only once
// whether it is alive.
class Sources {
 public:
  explicit Sources(Places places) : places_(std::move(places)) {}

  // A mount of the file or directory `path` ("proc/meminfo"), read-only but for pressure files that
  // take triggers: a file's from the view's
  // pinned directory, where the page cache answers, else from the public tree. The latter follows
  // what is mounted over it on the host.
  core::Result<core::Fd> Clone(std::string_view path);

 private:
  core::Result<core::Fd> CloneAt(const std::string& path, uint64_t propagation);
  core::Status CheckAnswers(const core::Fd& mount, const std::string& path);

  Places places_;
  std::vector<uint64_t> answering_;  // devices, as makedev(3) packs them
};

}  // namespace attach
