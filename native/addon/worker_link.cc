// SPDX-License-Identifier: Apache-2.0
#include "addon/worker_link.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "addon/session.h"
#include "core/base/fd.h"
#include "core/base/handover.h"
#include "core/base/link.h"
#include "core/base/result.h"
#include "mounts/settle.h"

namespace addon {
namespace {

using core::Fd;
using core::LinkMessage;

// A healthy reader is done with a request long before.
constexpr auto kStuckAfter = std::chrono::seconds(5);
// An orphan that could not open its socket (a full disk) tries again.
constexpr int kRetryMs = 1'000;

// Who is at the other end of a socket, as a pidfd: unlike the end itself it says when that process
// is gone, and nothing else.
Fd OpenPeer(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return Fd();
  return Fd(static_cast<int>(syscall(SYS_pidfd_open, peer.pid, 0)));
}

}  // namespace

WorkerLink::WorkerLink(Fd link, std::string run_dir, Listener listener)
    : run_dir_(std::move(run_dir)),
      listener_(std::move(listener)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      link_(std::move(link)),
      thread_([this] { Run(); }) {}

WorkerLink::~WorkerLink() {
  Stop();
}

void WorkerLink::Stop() {
  if (stopping_.exchange(true)) return;
  const uint64_t one = 1;
  (void)!write(wake_.get(), &one, sizeof one);
  thread_.join();
}

void WorkerLink::Send(LinkMessage message, uint32_t value) {
  const std::lock_guard lock(mutex_);
  if (link_.valid()) (void)core::SendLink(link_.get(), message, value);
}

void WorkerLink::Attach(std::shared_ptr<Session> session) {
  if (Forgives()) session->ForgiveRequests();
  const std::lock_guard lock(mutex_);
  session_ = std::move(session);
  if (session_ != nullptr) session_->SetKeeper(OpenPeer(link_.get()));
}

std::shared_ptr<Session> WorkerLink::AttachedSession() {
  const std::lock_guard lock(mutex_);
  return session_;
}

void WorkerLink::Run() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);
  pthread_setname_np(pthread_self(), "lensfs-link");
  Send(LinkMessage::kBooted);
  while (!stopping_.load()) {
    // Only this thread replaces link_, so reading it here needs no lock.
    const int fd = is_orphaned_.load() ? handover_.get() : link_.get();
    std::array<pollfd, 2> polled = {pollfd{.fd = wake_.get(), .events = POLLIN, .revents = 0},
                                    pollfd{.fd = fd, .events = POLLIN, .revents = 0}};
    const bool must_retry = is_orphaned_.load() && !handover_.valid() && !is_released_.load();
    if (poll(polled.data(), polled.size(), must_retry ? kRetryMs : -1) < 0) continue;
    if (must_retry) BecomeOrphan();
    if (polled[1].revents == 0) continue;
    if (is_orphaned_.load()) {
      OnHandover();
    } else {
      OnPacket();
    }
  }
}

void WorkerLink::OnPacket() {
  const auto packet = core::ReceiveLink(link_.get());
  if (packet) return OnMessage(packet->message, packet->value);
  {
    const std::lock_guard lock(mutex_);
    link_.reset();
    if (session_ != nullptr) session_->SetKeeper(Fd());
  }
  is_orphaned_.store(true);
  if (!is_released_.load()) BecomeOrphan();
  listener_(Event::kOrphaned, 0);
}

void WorkerLink::OnMessage(LinkMessage message, uint32_t value) {
  const std::shared_ptr<Session> session = AttachedSession();
  switch (message) {
    case LinkMessage::kServe:
      forgives_.store((value & core::kServeForgives) != 0, std::memory_order_relaxed);
      return listener_(Event::kServe, value & ~core::kServeForgives);
    case LinkMessage::kStack: {
      if (session == nullptr) return;
      const core::Status stacked = mounts::SettleLayer(session->TreePath(), session->TreeSource());
      return Send(LinkMessage::kStacked,
                  stacked ? 0 : static_cast<uint32_t>(stacked.error().errno_value));
    }
    case LinkMessage::kPing: {
      const bool is_stuck = session != nullptr && session->HasStuckReader(kStuckAfter);
      return Send(is_stuck ? LinkMessage::kStuck : LinkMessage::kPong);
    }
    case LinkMessage::kRelease:
      is_released_.store(true);
      if (session != nullptr) session->Stop();
      Send(LinkMessage::kReleased);
      return listener_(Event::kReleased, 0);
    default:
      return;
  }
}

void WorkerLink::BecomeOrphan() {
  // Not one that only waits for its turn: it has nothing to hand over.
  if (AttachedSession() == nullptr) return;
  auto listener = core::OfferHandover(run_dir_ + "/" + core::kHandoverName);
  if (listener) handover_ = std::move(*listener);
}

void WorkerLink::OnHandover() {
  const std::shared_ptr<Session> session = AttachedSession();
  if (session == nullptr) return;
  auto link = core::HandOverFromWorker(handover_.get(), session->KeptFds());
  if (!link) return;
  handover_.reset();
  (void)unlink((run_dir_ + "/" + core::kHandoverName).c_str());
  {
    const std::lock_guard lock(mutex_);
    link_ = std::move(*link);
    session->SetKeeper(OpenPeer(link_.get()));
  }
  is_orphaned_.store(false);
  listener_(Event::kAdopted, 0);
}

}  // namespace addon
