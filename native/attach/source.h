// SPDX-License-Identifier: Apache-2.0
// Where the files of a view come from, as mounts that are nowhere yet.
//
// Source: open_tree(2), mount_setattr(2), move_mount(2); ARCHITECTURE.md has the two trees.
// Units:  none.
// Errors: ESTALE for a file of another cgroup; ENOENT when no daemon serves the file; ENOTCONN when
// the one that did is dead.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/fd.h"
#include "core/base/result.h"
#include "core/cgroup/cgroup_id.h"

namespace attach {

// A view's directory in the pinned tree.
struct ViewPlace {
  core::cgroup::CgroupId cgroup;
  // The name of its cgroup's path: a daemon that cannot find a cgroup by its id learns it by this.
  std::string name;
};

// The directories of a daemon.
struct Places {
  std::string tree = "/var/lib/lensfs";
  std::string run_dir = "/run/lensfs";
  // Without one only the public tree is used.
  std::optional<ViewPlace> view;
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
  struct Found {
    core::Fd mount;
    uint64_t inode = 0;
  };

  core::Result<core::Fd> ClonePinned(const ViewPlace& view, std::string_view path);
  core::Result<Found> CloneAt(const std::string& path, uint64_t propagation);
  core::Result<uint64_t> CheckAnswers(const core::Fd& mount, const std::string& path);

  Places places_;
  bool has_asked_by_name_ = false;
  std::vector<uint64_t> answering_;  // devices, as makedev(3) packs them
};

}  // namespace attach
