// SPDX-License-Identifier: Apache-2.0
#include "fuse/connection.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <fuse_lowlevel.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "core/base/fd.h"
#include "core/base/result.h"

namespace fuse_layer {
namespace {

using core::Error;
using core::Fd;
using core::Result;

// The kernel demands room for max_write and a header; requests of a read-only tree are far smaller.
constexpr size_t kSlotBytes = 64 * 1024 + 4096;

// Ends a reader's read(2) with EINTR. Node.js and libuv use no real-time signals.
int WakeSignal() {
  return SIGRTMIN + 3;
}

void OnWakeSignal(int /*signal*/) {}

void InstallWakeSignal() {
  struct sigaction action{};
  action.sa_handler = OnWakeSignal;  // without SA_RESTART: the read must end
  sigaction(WakeSignal(), &action, nullptr);
}

// Signals are the main thread's business; a reader takes only the one that wakes it.
void BlockOtherSignals() {
  sigset_t blocked;
  sigfillset(&blocked);
  sigdelset(&blocked, WakeSignal());
  pthread_sigmask(SIG_SETMASK, &blocked, nullptr);
}

}  // namespace

Result<std::unique_ptr<Connection>> Connection::Open(Fd fuse_fd,
                                                     const fuse_lowlevel_ops& operations,
                                                     void* user_data) {
  std::string name = "lensfs";
  char* arguments[] = {name.data(), nullptr};
  fuse_args args = FUSE_ARGS_INIT(1, arguments);
  fuse_session* const session = fuse_session_new(&args, &operations, sizeof operations, user_data);
  if (session == nullptr) {
    return Error{.errno_value = ENOMEM, .operation = "make session", .path = "libfuse"};
  }
  // libfuse takes a descriptor that is mounted already under this name, and never unmounts it.
  const std::string path = "/dev/fd/" + std::to_string(fuse_fd.get());
  if (fuse_session_mount(session, path.c_str()) != 0) {
    fuse_session_destroy(session);
    return Error{.errno_value = EINVAL, .operation = "attach session", .path = path};
  }
  (void)fuse_fd.release();  // fuse_session_destroy closes it
  return std::unique_ptr<Connection>(new Connection(session));
}

Connection::~Connection() {
  Stop();
  fuse_session_destroy(session_);
}

void Connection::Start(size_t readers, std::function<void(int)> on_end) {
  InstallWakeSignal();
  on_end_ = std::move(on_end);
  for (size_t index = 0; index < readers; ++index) {
    auto& reader = *readers_.emplace_back(std::make_unique<Reader>());
    reader.slot.bytes.resize(kSlotBytes);
    reader.thread = std::thread([this, &reader] { ReadRequests(reader); });
  }
}

void Connection::ReadRequests(Reader& reader) {
  BlockOtherSignals();
  pthread_setname_np(pthread_self(), "lensfs-reader");
  const int fd = fuse_session_fd(session_);
  while (!stopping_.load(std::memory_order_acquire)) {
    RequestSlot& slot = reader.slot;
    const ssize_t length = read(fd, slot.bytes.data(), slot.bytes.size());
    if (length < 0) {
      const int cause = errno;
      // ENOENT: the request was interrupted before it could be read.
      if (cause == EINTR || cause == ENOENT || cause == EAGAIN) continue;
      if (!end_reported_.exchange(true)) on_end_(cause);
      break;
    }
    slot.length = static_cast<size_t>(length);
    fuse_buf request{};
    request.size = slot.length;
    request.mem = slot.bytes.data();
    fuse_session_process_buf(session_, &request);
    slot.length = 0;
  }
  reader.has_ended.store(true, std::memory_order_release);
}

void Connection::Stop() {
  ExpectEnd();
  stopping_.store(true, std::memory_order_release);
  for (auto& reader : readers_) {
    // A signal that comes before the read begins is lost, so it is sent until the thread has seen
    // that it is to stop.
    while (!reader->has_ended.load(std::memory_order_acquire)) {
      pthread_kill(reader->thread.native_handle(), WakeSignal());
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    reader->thread.join();
  }
  readers_.clear();
}

}  // namespace fuse_layer
