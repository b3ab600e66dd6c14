# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# cgroup v2 as the cgroupfs driver lays it out, and a deep tree of nested limits.
# See test/fixtures/hosts/README.md.
set -e
. /capture/containers.sh
. /capture/scenarios/v2.sh

web=0d1a6f1e5b7c49a2831e9f40c6d7b8a95e4f3c2b1a0998877665544332211000
plain=2f3c803f7d9e6bc4a530b162e8f9dacb70615e4d3c2bbaa99887766554433222
nested=96a2f7a6e405d23b1ca728d95f604132e7d8c5a392811100ffeeddccbbaa9999

mount_cgroups
mkfs.ext4 -q /dev/vda
mkdir -p /var/lib/docker
mount /dev/vda /var/lib/docker
echo 512M >/sys/block/zram0/disksize
mkswap /dev/zram0 >/dev/null
swapon /dev/zram0
state=/var/lib/docker
prepare_root

make_cgroup /docker
start_container $web /docker/$web memory=64 memory_swap=128 quota=50000 cpus=0 pids=100
start_container $plain /docker/$plain cgroupns=host
work_in_container $web 72
work_in_container $plain 8

# Limits above, at and below the container root, some of them wider than those above.
make_cgroup /cg1 memory.max=500M memory.swap.max=256M cpuset.cpus=0,2,3 'cpu.max=300000 100000'
make_cgroup /cg1/cg2 memory.max=600M memory.swap.max=300M cpuset.cpus=0-3 'cpu.max=400000 100000'
make_cgroup /cg1/cg2/cg3
root=/cg1/cg2/cg3
start_container $nested $root
work_in_container $nested 16
inner=$(spawn_in_container $nested workload anon 12)
mkdir $cgroups$root/init.scope
move_to $root/init.scope $(cat $cgroups$root/cgroup.procs)
make_cgroup $root/cg4 memory.max=400M memory.swap.max=200M cpuset.cpus=0,2 'cpu.max=200000 100000'
make_cgroup $root/cg4/cg5
make_cgroup $root/cg4/cg5/cg6 memory.max=900M memory.swap.max=450M cpuset.cpus=0-3 'cpu.max=400000 100000'
make_cgroup $root/cg4/cg5/cg6/cg7
move_to $root/cg4/cg5/cg6/cg7 $inner

sync
sleep 1
sh /capture/capture-host-tree.sh
