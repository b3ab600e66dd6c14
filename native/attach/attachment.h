// SPDX-License-Identifier: Apache-2.0
// Gives a container the view, takes it away, or renews it.
//
// Source: mount_namespaces(7). Works for images without programs and for read-only roots, because
//         nothing runs in the container and nothing is written to it.
// Units:  none.
// Errors: as in process.h; EXDEV when the container's /proc is the host's. What happens to one file
//         is in the outcome.
//
// Each function changes the calling thread's namespaces for good, unless `Container::process` is
// null: call it on a thread that ends afterwards.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "attach/file_set.h"
#include "attach/process.h"
#include "attach/source.h"
#include "core/base/result.h"

namespace attach {

// Why a file was left as it is, for people.
struct Left {
  std::string path;
  std::string reason;
};

struct Outcome {
  std::vector<std::string> done;     // as paths in the container, such as "/proc/meminfo"
  std::vector<std::string> already;  // there was nothing to do
  std::vector<Left> left;
};

// Where the container's files are.
struct Container {
  // Null when the caller is in its mount namespace already.
  const Process* process = nullptr;
  // Its root directory in that mount namespace; "" is the process's own.
  std::string root;
};

// Mounts each file of the set. `on_step` is called now and then while the work goes on.
core::Result<Outcome> Attach(
    const Container& container,
    const Places& places,
    const FileSet& files,
    const std::function<void()>& on_step = [] {});

// Takes away every mount of a view's file and, where there was one, layers with the host's file.
core::Result<Outcome> Detach(const Process& process, const FileSet& files);

// Replaces mounts that are not as they should be (see judgement.h), and layers with the host's file
// that should have been followed by a newer one.
core::Result<Outcome> Repair(const Process& process, const Places& places);

// What Repair() would find of the files at their own places, as `already` and `left`; changes
// nothing.
core::Result<Outcome> Examine(const Process& process);

}  // namespace attach
