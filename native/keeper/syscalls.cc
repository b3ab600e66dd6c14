// SPDX-License-Identifier: Apache-2.0
#include "keeper/syscalls.h"

#include <sys/syscall.h>

#include <cstdint>
#include <span>

namespace keeper {
namespace {

// Newer than the headers of the oldest system that this is built on; from 424 on, numbers are the
// same on all machines.
constexpr uint32_t kSysFutexWaitv = 449;
constexpr uint32_t kSysCachestat = 451;
constexpr uint32_t kSysFchmodat2 = 452;
constexpr uint32_t kSysMapShadowStack = 453;
constexpr uint32_t kSysFutexWake = 454;
constexpr uint32_t kSysFutexWait = 455;
constexpr uint32_t kSysFutexRequeue = 456;
constexpr uint32_t kSysStatmount = 457;
constexpr uint32_t kSysListmount = 458;
constexpr uint32_t kSysMseal = 462;
#if defined(__x86_64__)
// Made by the kernel's own code where root traces a function of the process.
constexpr uint32_t kSysUretprobe = 335;
constexpr uint32_t kSysUprobe = 336;
#endif

// clang-format off
constexpr uint32_t kAllowed[] = {
    // Descriptors.
    SYS_read, SYS_readv, SYS_pread64, SYS_preadv, SYS_preadv2, SYS_write, SYS_writev, SYS_pwrite64,
    SYS_pwritev, SYS_pwritev2, SYS_lseek, SYS_sendfile, SYS_splice, SYS_tee, SYS_vmsplice,
    SYS_copy_file_range, SYS_close, SYS_close_range, SYS_dup, SYS_dup3, SYS_fcntl, SYS_flock,
    SYS_ioctl, SYS_pipe2, SYS_eventfd2, SYS_signalfd4, SYS_memfd_create, SYS_inotify_init1,
    SYS_inotify_add_watch, SYS_inotify_rm_watch,
    // Files.
    SYS_openat, SYS_openat2, SYS_name_to_handle_at, SYS_open_by_handle_at, SYS_fstat,
    SYS_newfstatat, SYS_statx, SYS_statfs, SYS_fstatfs, SYS_faccessat, SYS_faccessat2,
    SYS_readlinkat, SYS_getdents64, SYS_getcwd, SYS_chdir, SYS_fchdir, SYS_umask, SYS_mkdirat,
    SYS_unlinkat, SYS_renameat, SYS_renameat2, SYS_linkat, SYS_symlinkat, SYS_fchmod, SYS_fchmodat,
    kSysFchmodat2, SYS_fchown, SYS_fchownat, SYS_utimensat, SYS_truncate, SYS_ftruncate,
    SYS_fallocate, SYS_fadvise64, SYS_readahead, SYS_fsync, SYS_fdatasync, SYS_sync_file_range,
    SYS_getxattr, SYS_lgetxattr, SYS_fgetxattr, SYS_listxattr, SYS_llistxattr, SYS_flistxattr,
    kSysCachestat,
    // The public tree's layers; mounts of file systems are made before there is a keeper.
    SYS_open_tree, SYS_move_mount, SYS_mount_setattr, SYS_umount2, kSysStatmount, kSysListmount,
    // Waiting.
    SYS_ppoll, SYS_pselect6, SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_pwait, SYS_epoll_pwait2,
    SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register,
    // Memory.
    SYS_brk, SYS_mmap, SYS_munmap, SYS_mremap, SYS_mprotect, SYS_madvise, SYS_msync, SYS_mincore,
    SYS_mlock, SYS_mlock2, SYS_munlock, SYS_mlockall, SYS_munlockall, SYS_membarrier,
    SYS_get_mempolicy, SYS_pkey_alloc, SYS_pkey_free, SYS_pkey_mprotect, kSysMapShadowStack,
    kSysMseal,
    // Processes and threads.
    SYS_clone, SYS_clone3, SYS_execve, SYS_exit, SYS_exit_group, SYS_wait4, SYS_waitid, SYS_kill,
    SYS_tkill, SYS_tgkill, SYS_pidfd_open, SYS_pidfd_send_signal, SYS_getpid, SYS_getppid,
    SYS_gettid, SYS_getpgid, SYS_setpgid, SYS_getsid, SYS_setsid, SYS_getuid, SYS_geteuid,
    SYS_getgid, SYS_getegid, SYS_getresuid, SYS_getresgid, SYS_getgroups, SYS_capget, SYS_capset,
    SYS_prctl, SYS_prlimit64, SYS_getrlimit, SYS_setrlimit, SYS_getrusage, SYS_times, SYS_getcpu,
    SYS_uname, SYS_sysinfo, SYS_getrandom, SYS_rseq, SYS_set_tid_address, SYS_set_robust_list,
    SYS_get_robust_list, SYS_futex, kSysFutexWaitv, kSysFutexWake, kSysFutexWait, kSysFutexRequeue,
    // Scheduling.
    SYS_sched_yield, SYS_sched_getaffinity, SYS_sched_setaffinity, SYS_sched_getattr,
    SYS_sched_setattr, SYS_sched_getparam, SYS_sched_setparam, SYS_sched_getscheduler,
    SYS_sched_setscheduler, SYS_sched_get_priority_max, SYS_sched_get_priority_min,
    SYS_sched_rr_get_interval, SYS_getpriority, SYS_setpriority, SYS_ioprio_get, SYS_ioprio_set,
    // Signals.
    SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_rt_sigpending, SYS_rt_sigtimedwait,
    SYS_rt_sigsuspend, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, SYS_sigaltstack,
    SYS_restart_syscall,
    // Time.
    SYS_nanosleep, SYS_clock_nanosleep, SYS_clock_gettime, SYS_clock_getres, SYS_gettimeofday,
    SYS_setitimer, SYS_getitimer, SYS_timer_create, SYS_timer_settime, SYS_timer_gettime,
    SYS_timer_getoverrun, SYS_timer_delete, SYS_timerfd_create, SYS_timerfd_settime,
    SYS_timerfd_gettime,
    // Sockets.
    SYS_socket, SYS_socketpair, SYS_bind, SYS_listen, SYS_accept, SYS_accept4, SYS_connect,
    SYS_getsockname, SYS_getpeername, SYS_getsockopt, SYS_setsockopt, SYS_sendto, SYS_sendmsg,
    SYS_sendmmsg, SYS_recvfrom, SYS_recvmsg, SYS_recvmmsg, SYS_shutdown,
#if defined(__x86_64__)
    // Older forms of the above, which newer machines have never had.
    SYS_open, SYS_creat, SYS_stat, SYS_lstat, SYS_access, SYS_readlink, SYS_getdents, SYS_mkdir,
    SYS_rmdir, SYS_unlink, SYS_rename, SYS_link, SYS_symlink, SYS_chmod, SYS_chown, SYS_lchown,
    SYS_utime, SYS_utimes, SYS_futimesat, SYS_pipe, SYS_dup2, SYS_eventfd, SYS_signalfd,
    SYS_inotify_init, SYS_poll, SYS_select, SYS_epoll_create, SYS_epoll_wait, SYS_fork, SYS_vfork,
    SYS_getpgrp, SYS_time, SYS_alarm, SYS_pause, SYS_arch_prctl, kSysUretprobe, kSysUprobe,
#endif
};
// clang-format on

constexpr uint32_t kKeepers[] = {SYS_mount, SYS_setns, SYS_unshare, SYS_chroot, SYS_seccomp};

}  // namespace

std::span<const uint32_t> AllowedSyscalls() {
  return kAllowed;
}

std::span<const uint32_t> KeepersSyscalls() {
  return kKeepers;
}

}  // namespace keeper
