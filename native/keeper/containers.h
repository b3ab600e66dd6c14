// SPDX-License-Identifier: Apache-2.0
// What running containers have mounted of lensfs, in mount namespaces of their own: taken away
// before lensfs ends, given back and renewed when it serves.
//
// Each container is entered by a process of its own that has little time and memory, so that none
// can hold up another one, or the keeper.
//
// Source: attach/withdrawal.h, attach/registry.h; files in <run-dir>: `withdrawn`, and `devices`,
//         the connections that there were since boot.
// Units:  none.
// Errors: logged; a container that cannot be entered is left as it is.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "core/base/result.h"

namespace keeper {

struct ContainerPlaces {
  std::string tree;
  std::string run_dir;
};

// Adds the devices of the connections that are mounted to the list of those there were.
void RememberDevices(const ContainerPlaces& places);

// In every container: takes away what is of the mounted connections. Returns when it is done.
void WithdrawFromContainers(const ContainerPlaces& places);
// In every container: gives back what was taken away, and renews what is of a connection that is
// dead. Somebody must answer requests meanwhile.
void ReturnToContainers(const ContainerPlaces& places);

// The same in a child, which ends when it is done, or after half a minute.
core::Result<pid_t> StartWork(void (*work)(const ContainerPlaces&), const ContainerPlaces& places);

// "lensfs-keeper withdraw --tree DIR --run-dir DIR", for a lensfs without a keeper; the exit code,
// or nullopt for another command line.
std::optional<int> RunContainersCommand(int argc, char** argv);

}  // namespace keeper
