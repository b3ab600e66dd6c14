// SPDX-License-Identifier: Apache-2.0
// Whether what is mounted in a container would appear outside of it too.
//
// A mount on a shared mount is repeated on all mounts of that one's peer group, and on those that
// follow the group. A container that was given the host's /sys with propagation in both directions
// would so hand its files to the host. Mount namespaces that the container itself has made, as
// systemd does in one, are not outside.
//
// Source: mount_namespaces(7); statmount(2), proc(5): /proc/<pid>/mountinfo; ioctl_ns(2).
// Units:  bytes and std::chrono.
// Errors: none; where it cannot be told, that is a reason not to mount.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "attach/outside_peers.h"
#include "attach/process.h"
#include "attach/target.h"
#include "core/base/fd.h"

namespace attach {

class Propagation {
 public:
  // To be made while /proc is the host's, and used in the container's mount namespace. Without a
  // process it is the caller's own.
  explicit Propagation(const Process* process);

  // Why nothing may be mounted over `target`, or in its place when it is a mount; nullopt: it may.
  std::optional<std::string> WhyNot(const Target& target);

 private:
  // The peer groups of the mount that the target is on, and of the one which that is mounted on
  // where it may be replaced; 0 for a mount that is not shared.
  using Groups = std::array<uint64_t, 2>;

  [[nodiscard]] std::optional<Groups> GroupsOf(const Target& target);
  [[nodiscard]] Outside OutsideOf(uint64_t group);

  const Process* process_;
  core::Fd proc_;          // the host's
  Namespaces namespaces_;  // the container's
  std::unordered_map<uint64_t, Outside> known_;
};

}  // namespace attach
