# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# What the cgroup v2 scenarios share. Sourced inside the virtual machine.

cgroups=/sys/fs/cgroup

mount_cgroups() {
  mount -t cgroup2 -o nsdelegate,memory_recursiveprot cgroup2 $cgroups
}

# As systemd does: the host's own processes are in a cgroup of their own.
leave_root_cgroup() {
  mkdir -p $cgroups/init.scope
  for pid in 1 $$; do echo $pid >$cgroups/init.scope/cgroup.procs; done
}

# A cgroup below an existing one, with all controllers available inside it.
make_cgroup() { # path, setting=value...
  path=$1
  shift
  parent=$cgroups${path%/*}
  echo "+cpuset +cpu +io +memory +hugetlb +pids" >"$parent/cgroup.subtree_control"
  mkdir -p "$cgroups$path"
  for setting in "$@"; do echo "${setting#*=}" >"$cgroups$path/${setting%%=*}"; done
}

move_to() { # cgroup, pid...
  path=$1
  shift
  for pid in "$@"; do echo "$pid" >"$cgroups$path/cgroup.procs"; done
}

# The cgroup of a container in which systemd runs: pid 1 moves to init.scope, a service has limits of
# its own.
run_systemd_in() { # id, cgroup
  init=$(init_of "$1")
  service=$(spawn_in_container "$1" workload anon 12)
  mkdir "$cgroups$2/init.scope"
  move_to "$2/init.scope" "$init" "$service" $(cat "$cgroups$2/cgroup.procs")
  make_cgroup "$2/system.slice"
  make_cgroup "$2/system.slice/app.service" memory.max=32M 'cpu.max=25000 100000' pids.max=20
  move_to "$2/system.slice/app.service" "$service"
}
