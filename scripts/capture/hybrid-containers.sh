#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs two containers with runc on a host whose cgroups are v1 or hybrid, captures the host to the
# file named, and removes everything again.
#
#   hybrid-containers.sh OUTPUT.tree [SWAP_MIB [capture options...]]
#
#   /docker/<web>   no cgroup namespace (Docker's default on v1), 64 MiB, 128 MiB with swap,
#                   0.5 CPU, cpuset 0; pid 1 is named "a) b"
#   /docker/<dind>  a cgroup namespace, 256 MiB, 1.5 CPUs; inside it pid 1 is in init.scope and a
#                   worker in worker, which has limits of its own: 32 MiB, 0.25 CPU

set -euo pipefail

output=$1
swap_mib=${2:-0}
shift $(($# < 2 ? $# : 2))
here=$(cd "$(dirname "$0")" && pwd)
cgroups=/sys/fs/cgroup
state=/var/lib/lensfs-capture
. "$here/containers.sh"

web=1f6f0c3be9b44a0c8f2b7d3f5a8e6c4d2b1a09f8e7d6c5b4a3928170615243ff
dind=9c7d5e3f1a2b4c6d8e0f1a3b5c7d9e0f2a4b6c8d0e1f3a5b7c9d1e3f5a7b9c0d

clean_up() {
  delete_container $web
  delete_container $dind
  # A container may have left processes in cgroups below its own.
  for path in $(find "$cgroups" -path "*/docker/*" -name cgroup.procs 2>/dev/null); do
    for pid in $(cat "$path"); do kill -9 "$pid" 2>/dev/null || true; done
  done
  sleep 0.5
  find "$cgroups" -depth -type d -path "*/docker*" -exec rmdir {} + 2>/dev/null || true
  if [ -f $state/swap ]; then swapoff $state/swap || true; fi
  rm -rf $state
}
trap clean_up EXIT

prepare_root
if [ "$swap_mib" -gt 0 ]; then
  dd if=/dev/zero of=$state/swap bs=1M count="$swap_mib" status=none
  chmod 600 $state/swap
  mkswap -q $state/swap
  swapon $state/swap
fi

# Since Linux 6.10 v1 counts a cgroup's I/O only once there is a throttle.
device=$(stat -c %D $state) # hexadecimal
disk=$((0x$device / 256)):$((0x$device % 256))
memory_swap=$((swap_mib > 0 ? 128 : 64))
start_container $web /docker/$web memory=64 memory_swap=$memory_swap quota=50000 cpus=0 pids=100 \
  disk=$disk cgroupns=host
start_container $dind /docker/$dind memory=256 memory_swap=$((192 + memory_swap)) quota=150000 \
  cpus=0-1 pids=100 disk=$disk
work_in_container $web $((swap_mib > 0 ? 72 : 40))
work_in_container $dind 24

# The inner tree of the second container, as systemd or Docker in a container makes one.
init=$(init_of $dind)
worker=$(spawn_in_container $dind sleep 86400)
for controller in memory cpu cpuacct pids blkio unified systemd; do
  container=$cgroups/$controller/docker/$dind
  [ -d "$container" ] || continue
  mkdir -p "$container/init.scope" "$container/worker"
  echo "$init" >"$container/init.scope/cgroup.procs"
  echo "$worker" >"$container/worker/cgroup.procs"
done
echo $((32 * mebibyte)) >$cgroups/memory/docker/$dind/worker/memory.limit_in_bytes
echo 25000 >$cgroups/cpu/docker/$dind/worker/cpu.cfs_quota_us

sh "$here/capture-host-tree.sh" "$@" >"$output"
