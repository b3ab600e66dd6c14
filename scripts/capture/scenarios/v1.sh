# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# cgroup v1 alone, mounted as systemd did: cpu and cpuacct together, no unified hierarchy.
# See test/fixtures/hosts/README.md.
set -e
. /capture/containers.sh

cgroups=/sys/fs/cgroup
web=0d1a6f1e5b7c49a2831e9f40c6d7b8a95e4f3c2b1a0998877665544332211000
dind=1e2b7f2f6c8d5ab3942fa051d7e8c9ba6f504d3c2b1aa9988776655443322111
free=415ea2519fb08de6c752d3840a1bfced9283705f4e3d2c1b0a99887766554433
nested=96a2f7a6e405d23b1ca728d95f604132e7d8c5a392811100ffeeddccbbaa9999

mount -t tmpfs -o mode=755 tmpfs $cgroups
mkdir $cgroups/systemd
mount -t cgroup -o none,name=systemd cgroup $cgroups/systemd
for controllers in cpuset cpu,cpuacct blkio memory devices freezer pids hugetlb; do
  mkdir $cgroups/$controllers
  mount -t cgroup -o $controllers cgroup $cgroups/$controllers
done
ln -s cpu,cpuacct $cgroups/cpu
ln -s cpu,cpuacct $cgroups/cpuacct

mkdir $cgroups/systemd/init.scope
for pid in 1 $$; do echo $pid >$cgroups/systemd/init.scope/cgroup.procs; done
echo 16 >/proc/sys/vm/nr_hugepages
echo bfq >/sys/block/vda/queue/scheduler
mkfs.ext4 -q /dev/vda
mkdir -p /var/lib/docker
mount /dev/vda /var/lib/docker
mkswap /dev/vdb >/dev/null
swapon /dev/vdb
state=/var/lib/docker
prepare_root

start_container $web /docker/$web memory=64 memory_swap=128 hugetlb=8 quota=50000 cpus=0 pids=100 \
  cgroupns=host
start_container $dind /docker/$dind memory=256 memory_swap=320 quota=150000
start_container $free /docker/$free cgroupns=host
work_in_container $web 72
work_in_container $dind 24
work_in_container $free 8
spawn_in_container $free workload huge 16 >/dev/null

# systemd in a container moves pid 1 in its own hierarchy only, Docker in every one.
init=$(init_of $dind)
worker=$(spawn_in_container $dind workload anon 12)
for controllers in systemd cpu,cpuacct memory pids blkio; do
  container=$cgroups/$controllers/docker/$dind
  mkdir $container/init.scope $container/worker
  echo "$init" >$container/init.scope/cgroup.procs
  echo "$worker" >$container/worker/cgroup.procs
done
echo $((32 * mebibyte)) >$cgroups/memory/docker/$dind/worker/memory.limit_in_bytes
echo 25000 >$cgroups/cpu/docker/$dind/worker/cpu.cfs_quota_us

# Limits above, at and below the container root; v1 lets a child be wider in memory only.
memory=$cgroups/memory/cg1
mkdir -p $memory/cg2
echo 500M >$memory/memory.limit_in_bytes
echo 756M >$memory/memory.memsw.limit_in_bytes
echo 600M >$memory/cg2/memory.limit_in_bytes
echo 900M >$memory/cg2/memory.memsw.limit_in_bytes
mkdir -p $cgroups/cpu/cg1/cg2 $cgroups/cpuset/cg1/cg2
echo 300000 >$cgroups/cpu/cg1/cpu.cfs_quota_us
for path in cg1 cg1/cg2; do
  echo 0 >$cgroups/cpuset/$path/cpuset.mems
  echo 0,2-3 >$cgroups/cpuset/$path/cpuset.cpus
done
start_container $nested /cg1/cg2/cg3
work_in_container $nested 16

sync
sleep 1
sh /capture/capture-host-tree.sh
