# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# cgroup v2 with very many CPUs: one container on two ranges of them, one with a quota alone.
set -e
. /capture/containers.sh
. /capture/scenarios/v2.sh

ranges=0d1a6f1e5b7c49a2831e9f40c6d7b8a95e4f3c2b1a0998877665544332211000
quota=1e2b7f2f6c8d5ab3942fa051d7e8c9ba6f504d3c2b1aa9988776655443322111
cpus=$(cat /cpus)

mount_cgroups
leave_root_cgroup
state=/var/lib/docker
prepare_root
make_cgroup /system.slice
start_container $ranges /system.slice/docker-$ranges.scope memory=128 memory_swap=128 cpus="$cpus" \
  quota=650000
start_container $quota /system.slice/docker-$quota.scope memory=64 memory_swap=64 quota=250000
work_in_container $ranges 4
work_in_container $quota 4
sh /capture/capture-host-tree.sh --sysfs topology
