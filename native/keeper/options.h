// SPDX-License-Identifier: Apache-2.0
// The keeper's command line, which `lensfs serve` writes.
//
//   lensfs-keeper --fds SHARED,PINNED,JOURNAL,CONFIG,CONTROL,TREE --tree DIR --run-dir DIR --proc
//   DIR --sys DIR
//                 [--deaths N] [--window-ms N] [--leave-mounted] [--stacked] [--standby]
//                 [--triggers]
//                 [--unfiltered]
//                 [--predecessor FD [--predecessor-worker PID]] [--outlive-ms N]
//                 [--cgroup DIR ...] [--preload FILE] -- WORKER [ARG ...]
//
// Source: src/daemon/launch.ts.
// Units:  none.
// Errors: nullopt for a command line that is not of this form.
#pragma once

#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/link.h"
#include "mounts/stable_tree.h"

namespace keeper {

struct Options {
  std::array<int, core::kLinkFdCount> fds{};
  std::string tree;
  std::string run_dir;
  // Where the host's own files are.
  mounts::LayerSource native;
  // So many deaths of workers within the window are too many.
  size_t deaths_max = 5;
  std::chrono::milliseconds death_window = std::chrono::seconds(10);
  // The mounts stay when it stops.
  bool leave_mounted = false;
  // The tree shows the connection's files already.
  bool is_stacked = false;
  // The shared connection's pressure files may be written to.
  bool takes_triggers = false;
  // A second worker is kept ready.
  bool standby = false;
  // System calls without use are refused.
  bool is_filtered = true;
  // The link to a worker that serves and has no keeper; -1: there is none.
  int predecessor_fd = -1;
  // That worker; 0: the peer of the link's connection.
  pid_t predecessor_worker = 0;
  // How long it goes on when what has started it has ended, see stand_in.h; nullopt: not at all.
  std::optional<std::chrono::milliseconds> outlive;
  // Where it goes on, one in each hierarchy.
  std::vector<std::string> cgroups;
  // A library that answers requests before the worker's program does; "": none.
  std::string preload;
  // The worker's command line, with the null pointer at its end that execv(3) wants.
  std::vector<char*> worker;
};

std::optional<Options> ParseOptions(std::span<char* const> args);

}  // namespace keeper
