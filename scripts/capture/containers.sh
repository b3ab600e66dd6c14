# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# Functions for scripts that set up containers to be captured: runc, a busybox root, and real work.
# Sourced, by POSIX sh (busybox in a virtual machine) and bash alike.
#
# The sourcing script sets `state`, a directory on a disk for root and bundles, and calls
# prepare_root first. workload (workload.c) is copied into the root when it is on the PATH. What
# takes settings runs in a subshell and changes no variable of the caller.

mebibyte=1048576

prepare_root() {
  root=$state/root
  mkdir -p "$root/bin" "$root/proc" "$root/sys" "$root/dev" "$root/tmp" "$root/scratch"
  cp "$(which busybox)" "$root/bin/busybox"
  chroot "$root" /bin/busybox --install -s /bin
  if which workload >/dev/null; then cp "$(which workload)" "$root/bin/workload"; fi
  # A process name that breaks careless readers of /proc/<pid>/stat.
  printf '#!/bin/sh\nwhile :; do sleep 86400; done\n' >"$root/bin/a) b"
  chmod 755 "$root/bin/a) b"
}

# Starts a container in the background. After the id and the cgroup, any of:
#   memory=MIB  memory_swap=MIB (their sum, as Docker's --memory-swap)  hugetlb=MIB (of 2 MiB pages)
#   quota=USEC per 100 ms  cpus=LIST  pids=NUMBER  disk=MAJOR:MINOR (throttled at 1 GiB/s)
#   pidns=new|host|PATH  cgroupns=new|host  command=NAME
start_container() ( # id, cgroup, settings...
  id=$1
  cgroup=$2
  shift 2
  memory= memory_swap= hugetlb= quota= cpus= pids= disk= pidns=new cgroupns=new command='a) b'
  for setting in "$@"; do eval "${setting%%=*}=\${setting#*=}"; done
  mkdir -p "$state/$id"
  write_config >"$state/$id/config.json"
  runc --root /run/runc run --detach --no-pivot --bundle "$state/$id" "$id" </dev/null >/dev/null
)

write_config() {
  case $pidns in
    new) pid_namespace='{"type": "pid"},' ;;
    host) pid_namespace= ;;
    *) pid_namespace="{\"type\": \"pid\", \"path\": \"$pidns\"}," ;;
  esac
  cgroup_namespace=
  [ "$cgroupns" = host ] || cgroup_namespace='{"type": "cgroup"},'
  cat <<JSON
{
  "ociVersion": "1.0.2",
  "process": {
    "user": {"uid": 0, "gid": 0},
    "args": ["$command"],
    "env": ["PATH=/bin"],
    "cwd": "/"
  },
  "root": {"path": "$state/root"},
  "hostname": "container",
  "mounts": [
    {"destination": "/proc", "type": "proc", "source": "proc"},
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755", "size=64k"]},
    {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs"},
    {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["ro"]},
    {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["ro"]}
  ],
  "linux": {
    "cgroupsPath": "$cgroup",
    "resources": {
      "memory": {$(memory_settings)},
      "cpu": {$(cpu_settings)},
      "hugepageLimits": [$([ -z "$hugetlb" ] || echo "{\"pageSize\": \"2MB\", \"limit\": $((hugetlb * mebibyte))}")],
      "blockIO": {$([ -z "$disk" ] || echo "\"throttleWriteBpsDevice\":
        [{\"major\": ${disk%:*}, \"minor\": ${disk#*:}, \"rate\": 1073741824}]")},
      "pids": {"limit": ${pids:-0}}
    },
    "namespaces": [$pid_namespace $cgroup_namespace {"type": "mount"}, {"type": "ipc"}, {"type": "uts"}]
  }
}
JSON
}

memory_settings() {
  [ -n "$memory" ] || return 0
  echo "\"limit\": $((memory * mebibyte)), \"swap\": $((${memory_swap:-$memory} * mebibyte))"
}

cpu_settings() {
  [ -z "$quota" ] || echo "\"quota\": $quota, \"period\": 100000${cpus:+,}"
  [ -z "$cpus" ] || echo "\"cpus\": \"$cpus\""
}

in_container() ( # id, command...
  id=$1
  shift
  runc --root /run/runc exec "$id" "$@" </dev/null
)

# Starts a process in a container and prints its pid, as the host sees it.
spawn_in_container() ( # id, command...
  id=$1
  shift
  runc --root /run/runc exec --detach --pid-file "$state/$id/pid" "$id" "$@" </dev/null >/dev/null 2>&1
  cat "$state/$id/pid"
)

init_of() { # id
  runc --root /run/runc state "$1" | sed -n 's/^ *"pid": \([0-9]*\).*/\1/p'
}

# CPU time (more than the quota allows, where there is one), written and read files, a tmpfs.
work_in_container() { # id, MiB of tmpfs
  in_container "$1" sh -c "
    timeout 2 sh -c 'while :; do :; done' 2>/dev/null
    dd if=/dev/zero of=/scratch/written.$1 bs=64k count=96 conv=fsync
    dd if=/scratch/written.$1 of=/dev/null bs=64k iflag=direct
    dd if=/dev/zero of=/tmp/held bs=1M count=$2" >/dev/null 2>&1 || echo "work in $1 ended with $?" >&2
}

delete_container() { # id
  runc --root /run/runc delete --force "$1" 2>/dev/null || true
}
