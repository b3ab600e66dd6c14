# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# cgroup v2 as systemd, Docker and Kubernetes lay it out. See test/fixtures/hosts/README.md.
set -e
. /capture/containers.sh
. /capture/scenarios/v2.sh

web=0d1a6f1e5b7c49a2831e9f40c6d7b8a95e4f3c2b1a0998877665544332211000
dind=1e2b7f2f6c8d5ab3942fa051d7e8c9ba6f504d3c2b1aa9988776655443322111
plain=2f3c803f7d9e6bc4a530b162e8f9dacb70615e4d3c2bbaa99887766554433222
tools=304d91408eaf7cd5b641c273f90aebdc81726f5e4d3ccbbaa998877665544333
free=415ea2519fb08de6c752d3840a1bfced928370 # shortened ids exist too
threads=526fb362a0c19ef7d863e4951b2c0dfea394816f5e4dddccbbaa998877665555
pause=637fc473b1d2af08e974f5a62c3d1e0fb4a592706f5eeeddccbbaa9988776666
app=7480d584c2e3b019fa8506b73d4e2f10c5b6a381706fffeeddccbbaa99887777
sidecar=8591e695d3f4c12a0b9617c84e5f3021d6c7b492817000ffeeddccbbaa998888

mount_cgroups
leave_root_cgroup
echo 16 >/proc/sys/vm/nr_hugepages
mkfs.ext4 -q /dev/vda
mkdir -p /var/lib/docker
mount /dev/vda /var/lib/docker
mkswap /dev/vdb >/dev/null
swapon /dev/vdb
state=/var/lib/docker
prepare_root

make_cgroup /system.slice
make_cgroup /user.slice
make_cgroup /user.slice/user-1000.slice memory.max=400M
make_cgroup /user.slice/user-1000.slice/session-3.scope
(exec sleep 86400) &
session=$!
move_to /user.slice/user-1000.slice/session-3.scope $session

start_container $web /system.slice/docker-$web.scope memory=64 memory_swap=128 hugetlb=8 \
  quota=50000 cpus=0 pids=100
start_container $dind /system.slice/docker-$dind.scope memory=256 memory_swap=256 quota=150000
start_container $plain /system.slice/docker-$plain.scope memory=128 memory_swap=192 cgroupns=host
start_container $tools /system.slice/docker-$tools.scope memory=100 memory_swap=100 pidns=host
start_container $free /system.slice/docker-$free.scope
start_container $threads /system.slice/docker-$threads.scope memory=96 memory_swap=96 cpus=1-2
work_in_container $web 72
work_in_container $dind 16
work_in_container $plain 8
spawn_in_container $plain workload anon 20 >/dev/null
spawn_in_container $free workload huge 16 >/dev/null
run_systemd_in $dind /system.slice/docker-$dind.scope

# A threaded subtree: half of a process's threads are limited, one of them is busy.
scope=/system.slice/docker-$threads.scope
worker=$(spawn_in_container $threads workload threads 4)
for name in idle busy; do
  mkdir $cgroups$scope/$name
  echo threaded >$cgroups$scope/$name/cgroup.type
done
echo "+cpu +pids" >$cgroups$scope/cgroup.subtree_control
echo "20000 100000" >$cgroups$scope/busy/cpu.max
set -- $(ls /proc/$worker/task)
for thread in $2 $3; do echo $thread >$cgroups$scope/idle/cgroup.threads; done
for thread in $4 $5; do echo $thread >$cgroups$scope/busy/cgroup.threads; done

# A pod with a shared pid namespace: pause holds it, each container has a cgroup namespace.
kubepods=/kubepods.slice
burstable=$kubepods/kubepods-burstable.slice
pod=$burstable/kubepods-burstable-pod3f0c2b1a_9d8e_4c7b_a6f5_e4d3c2b1a090.slice
make_cgroup $kubepods memory.max=700M
make_cgroup $burstable
make_cgroup $pod memory.max=192M 'cpu.max=125000 100000'
start_container $pause $pod/cri-containerd-$pause.scope
shared=/proc/$(init_of $pause)/ns/pid
start_container $app $pod/cri-containerd-$app.scope memory=96 memory_swap=96 quota=100000 pidns=$shared
start_container $sidecar $pod/cri-containerd-$sidecar.scope memory=48 memory_swap=48 quota=25000 pidns=$shared
work_in_container $app 8
work_in_container $sidecar 4

sync
sleep 1
sh /capture/capture-host-tree.sh --pid $session
