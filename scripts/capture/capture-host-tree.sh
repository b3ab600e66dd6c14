#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Writes what lensfs reads of this host to standard output, in the .tree format of
# test/_support/tree.ts (described in test/fixtures/hosts/README.md).
#
# Plain POSIX sh with cat, find, grep, readlink, sort and stat: runs on a server as well as in an
# initramfs with busybox. Run it as root; files that cannot be read are left out.
#
#   capture-host-tree.sh [--cgroup-root DIR] [--exclude PATTERN]... [--pid N]... [--sysfs WHAT]
#
#   --cgroup-root DIR   what becomes cgroup/ (default /sys/fs/cgroup)
#   --exclude PATTERN   a cgroup directory to leave out with all below it, as a shell pattern of
#                       its path under the cgroup root, e.g. 'memory/user.slice'
#   --pid N             a process to capture besides 1, self and everything in a namespace of its own
#   --sysfs WHAT        full (default), or topology: no caches, for hosts with very many CPUs
#
# Order: cgroups, processes, then the host's counters, so that no cgroup has counted more than the
# host it is on.

set -f
export LC_ALL=C

newline='
'
tab='	'

die() {
  echo "capture-host-tree: $1" >&2
  exit 2
}

cgroup_root=/sys/fs/cgroup
excludes=
extra_pids=
sysfs=full
while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || die "\"$1\" needs a value"
  case $1 in
    --cgroup-root) cgroup_root=$2 ;;
    --exclude) excludes="$excludes$2$newline" ;;
    --pid) extra_pids="$extra_pids $2" ;;
    --sysfs) sysfs=$2 ;;
    *) die "Unknown option: \"$1\"" ;;
  esac
  shift 2
done
case $sysfs in full | topology) ;; *) die "--sysfs is full or topology, got \"$sysfs\"" ;; esac
[ -d "$cgroup_root" ] || die "No cgroups at \"$cgroup_root\""

# The content ends in "x" and a newline, so that the shell does not trim its own newlines.
emit_content() { # mode, path in the tree, content and x
  content=${3%x}
  kind=file
  case $content in
    *[!\ -~"$tab$newline"]* | "==="* | *"$newline==="*) kind=file:base64 ;;
    '' | *"$newline") ;;
    *) kind=file:noeol ;;
  esac
  while [ ${#1} -lt 4 ]; do set -- "0$1" "$2"; done
  echo "=== $kind $1 $2"
  case $kind in
    file) printf %s "$content" ;;
    file:noeol) printf '%s\n' "$content" ;;
    file:base64) printf %s "$content" | base64 ;;
  esac
}

emit_file() { # source, path in the tree
  [ -f "$1" ] || return 0
  mode=$(stat -c %a "$1" 2>/dev/null) || return 0
  case $mode in 2?? | 2?) return 0 ;; esac # write-only: cgroup.kill, memory.reclaim
  content=$(cat "$1" 2>/dev/null && echo x) || return 0
  emit_content "$mode" "$2" "$content"
}

emit_link() { # source, path in the tree
  target=$(readlink "$1" 2>/dev/null) && echo "=== link $2 -> $target"
}

emit_glob() { # source directory, path in the tree, patterns...
  directory=$1
  inside=$2
  shift 2
  for pattern in "$@"; do
    set +f
    for source in "$directory"/$pattern; do
      emit_file "$source" "$inside/${source#"$directory"/}"
    done
    set -f
  done
}

# --- cgroups -----------------------------------------------------------------------------------

is_excluded() { # path under the cgroup root
  printf %s "$excludes" | while read -r pattern; do
    # shellcheck disable=SC2254 # a pattern is what the caller asked for
    case $1 in $pattern | $pattern/*) echo yes ;; esac
  done | grep -q yes
}

capture_cgroups() {
  find "$cgroup_root" -type l | sort | while read -r link; do
    emit_link "$link" "cgroup/${link#"$cgroup_root"/}"
  done
  find "$cgroup_root" -type d | sort | while read -r directory; do
    path=${directory#"$cgroup_root"}
    path=${path#/}
    is_excluded "$path" && continue
    echo "=== dir 0755 cgroup${path:+/$path}"
    set +f
    for file in "$directory"/*; do
      name=${file##*/}
      case $name in
        *.numa_stat | cgroup.event_control | memory.kmem.slabinfo) ;;
        cgroup.* | memory.* | cpu.* | cpuacct.* | cpuset.* | io.* | blkio.* | pids.* | hugetlb.* | tasks)
          emit_file "$file" "cgroup/${path:+$path/}$name"
          ;;
      esac
    done
    set -f
  done
}

# --- processes ---------------------------------------------------------------------------------

namespaces() { # pid
  for kind in pid cgroup mnt; do readlink "/proc/$1/ns/$kind" 2>/dev/null; done
}

is_of_interest() { # pid
  case " 1 $$ $extra_pids " in *" $1 "*) return 0 ;; esac
  readlink "/proc/$1/exe" >/dev/null || return 1 # a kernel thread, or gone
  theirs=$(namespaces "$1")
  [ -n "$theirs" ] && [ "$theirs" != "$own_namespaces" ]
}

capture_process() { # pid
  for name in stat status cgroup mountinfo personality; do
    emit_file "/proc/$1/$name" "proc/$1/$name"
  done
  for name in pid cgroup; do emit_link "/proc/$1/ns/$name" "proc/$1/ns/$name"; done
  [ "$1" != 1 ] || return 0
  for task in $(ls "/proc/$1/task" 2>/dev/null); do
    for name in stat status; do
      emit_file "/proc/$1/task/$task/$name" "proc/$1/task/$task/$name"
    done
  done
}

capture_processes() {
  own_namespaces=$(namespaces $$)
  echo "=== link proc/self -> $$"
  for pid in $(ls /proc | grep '^[0-9]*$' | sort -n); do
    if is_of_interest "$pid"; then capture_process "$pid"; fi
  done
}

# --- the host's own files ----------------------------------------------------------------------

capture_host_files() {
  for name in cgroups cpuinfo diskstats filesystems loadavg meminfo slabinfo stat swaps uptime \
    version vmstat pressure/cpu pressure/io pressure/irq pressure/memory sys/kernel/osrelease \
    sys/kernel/pid_max sys/vm/overcommit_kbytes sys/vm/overcommit_memory sys/vm/overcommit_ratio; do
    emit_file "/proc/$name" "proc/$name"
  done
}

capture_sysfs() {
  cpus=/sys/devices/system/cpu
  emit_glob $cpus sys/devices/system/cpu \
    online possible present offline isolated kernel_max enabled modalias nohz_full uevent smt/active smt/control
  for cpu in $(ls $cpus | grep '^cpu[0-9][0-9]*$'); do
    inside=sys/devices/system/cpu/$cpu
    emit_glob "$cpus/$cpu" "$inside" online 'topology/*'
    [ "$sysfs" = full ] || continue
    emit_glob "$cpus/$cpu" "$inside" crash_notes crash_notes_size uevent 'cache/index*/level' \
      'cache/index*/type' 'cache/index*/size' 'cache/index*/id' 'cache/index*/shared_cpu_*'
    emit_link "$cpus/$cpu/subsystem" "$inside/subsystem"
  done
}

echo "# kernel: $(cat /proc/sys/kernel/osrelease)"
capture_cgroups
capture_processes
capture_host_files
capture_sysfs
