// SPDX-License-Identifier: Apache-2.0
#include "fuse/connection.h"

#include <linux/fuse.h>
#include <unistd.h>

#include <fuse_lowlevel.h>
#include <fuse_opt.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/base/fd.h"
#include "core/base/result.h"
#include "fuse/journal.h"
#include "fuse/reply_sink.h"
#include "fuse/ring.h"
#include "fuse/ring_memory.h"
#include "fuse/ring_support.h"

namespace fuse_layer {
namespace {

using core::Error;
using core::Fd;
using core::Result;

// A process that ends while it answers a request may have ended because of it.
constexpr uint32_t kDeathsMax = 2;

// No request of the kernel's has this number, so that it ignores the reply.
constexpr uint64_t kNobodysUnique = ~uint64_t{1};

// Newer than the kernel headers of Debian 12 (Linux 6.9): the kernel sends again what it has handed
// out and got no reply to. Older kernels say EINVAL.
constexpr int kNotifyResend = 7;

int Attach(fuse_session* session, const Fd& fuse_fd) {
  // libfuse takes a descriptor that is mounted already under this name, and never unmounts it.
  const std::string path = "/dev/fd/" + std::to_string(fuse_fd.get());
  return fuse_session_mount(session, path.c_str()) == 0 ? 0 : EINVAL;
}

#if FUSE_VERSION >= FUSE_MAKE_VERSION(3, 14)
constexpr const char* kWhyNotBuilt = "";

int AttachForRings(fuse_session* session, const Fd& fuse_fd) {
  static const fuse_custom_io io = [] {
    fuse_custom_io functions{};
    functions.writev = WriteReply;
    functions.read = [](int fd, void* bytes, size_t size, void* /*user_data*/) {
      return read(fd, bytes, size);
    };
    return functions;
  }();
  return -fuse_session_custom_io(session, &io, fuse_fd.get());
}
#else
constexpr const char* kWhyNotBuilt = "built with libfuse older than 3.14";

int AttachForRings(fuse_session* session, const Fd& fuse_fd) {
  return Attach(session, fuse_fd);
}
#endif

}  // namespace

Result<std::unique_ptr<Connection>> Connection::Open(Fd fuse_fd,
                                                     const fuse_lowlevel_ops& operations,
                                                     void* user_data,
                                                     Journal& journal,
                                                     Transport transport) {
  std::string name = "lensfs";
  char* arguments[] = {name.data(), nullptr};
  fuse_args args = FUSE_ARGS_INIT(1, arguments);
  fuse_session* const session = fuse_session_new(&args, &operations, sizeof operations, user_data);
  fuse_opt_free_args(&args);  // libfuse has made a copy of them
  if (session == nullptr) {
    return Error{.errno_value = ENOMEM, .operation = "make session", .path = "libfuse"};
  }
  const bool may_have_rings = transport.wants_rings || journal.HasRings();
  const int attached = may_have_rings ? AttachForRings(session, fuse_fd) : Attach(session, fuse_fd);
  if (attached != 0) {
    fuse_session_destroy(session);
    return Error{.errno_value = attached, .operation = "attach session", .path = "/dev/fuse"};
  }
  (void)fuse_fd.release();  // fuse_session_destroy closes it
  std::unique_ptr<Connection> connection(new Connection(session, journal, std::move(transport)));
  if (journal.HasRings()) {
    connection->why_no_rings_ = connection->PrepareRings();
    if (!connection->why_no_rings_.empty()) {
      return Error{.errno_value = EOPNOTSUPP,
                   .operation = "take over rings",
                   .path = connection->why_no_rings_};
    }
  }
  if (!journal.InitRequest().empty()) connection->Resume();
  return connection;
}

// Before there are readers: requests that they have would be sent again.
void Connection::Resume() {
  const auto saved = journal_.InitRequest();
  std::vector<char> init(saved.begin(), saved.end());
  std::memcpy(init.data() + offsetof(fuse_in_header, unique), &kNobodysUnique, sizeof(uint64_t));
  Answer(init);
  for (size_t index = 0; index < Journal::kSlots; ++index) {
    RequestSlot& slot = journal_.Slot(index);
    if (slot.Length() == 0) continue;
    if (!journal_.Forgives()) slot.CountDeath();
    if (slot.Deaths() < kDeathsMax) {
      journal_.CountReplay();
      Answer(slot.Room().first(slot.Length()));
    } else {
      journal_.CountRefusal();
      fuse_out_header refusal{.len = sizeof refusal, .error = -EIO, .unique = 0};
      std::memcpy(&refusal.unique,
                  slot.Room().data() + offsetof(fuse_in_header, unique),
                  sizeof refusal.unique);
      (void)!write(fuse_session_fd(session_), &refusal, sizeof refusal);
    }
    slot.Clear();
  }
  const fuse_out_header resend{.len = sizeof resend, .error = kNotifyResend, .unique = 0};
  (void)!write(fuse_session_fd(session_), &resend, sizeof resend);
}

void Connection::Answer(std::span<char> request) {
  fuse_buf buffer{};
  buffer.size = request.size();
  buffer.mem = request.data();
  fuse_session_process_buf(session_, &buffer);
}

std::string Connection::PrepareRings() {
  if (*kWhyNotBuilt != '\0') return kWhyNotBuilt;
  const auto cpus = CountPossibleCpus();
  if (!cpus) return WhyNoRings(cpus.error());
  auto memory = journal_.MapRings(*cpus);
  if (!memory) return WhyNoRings(memory.error());
  auto ring = Ring::Prepare(
      std::move(*memory),
      Ring::Options{.fuse_fd = fuse_session_fd(session_),
                    .file_ids = transport_.file_ids,
                    .answer = [this](RingEntry& entry,
                                     std::span<char> request,
                                     bool is_left) { AnswerFromRing(entry, request, is_left); },
                    .has_keeper = transport_.has_keeper});
  if (!ring) return WhyNoRings(ring.error());
  const std::lock_guard lock(report_mutex_);
  ring_ = std::move(*ring);
  return "";
}

std::string Connection::PrepareFirstRings(std::span<const char> init) {
  if (!transport_.wants_rings) return "";
  std::string why = WhyNoRings(init);
  return why.empty() ? PrepareRings() : why;
}

// The kernel says once what it offers, and is told once what is taken of it.
void Connection::AnswerInit(std::span<char> request) {
  journal_.SaveInitRequest(request);
  std::string why = PrepareFirstRings(request);
  if (ring_ == nullptr) {
    Answer(request);
  } else {
    // Before the kernel knows: a successor that finds no rings begun begins them.
    journal_.SetHasRings(true);
    ThreadSink().takes_rings = true;
    Answer(request);
    ThreadSink().takes_rings = false;
    const core::Status started = ring_->Start(true, [this](int cause) { ReportEnd(cause); });
    if (!started) {
      // The kernel goes on without rings when it has refused an entry.
      journal_.SetHasRings(false);
      why = WhyNoRings(started.error());
      ring_->Stop();
    }
  }
  const std::lock_guard lock(report_mutex_);
  why_no_rings_ = std::move(why);
}

void Connection::AnswerFromRing(RingEntry& entry, std::span<char> request, bool is_left) {
  fuse_in_header header{};
  std::memcpy(&header, request.empty() ? entry.header.in_out : request.data(), sizeof header);
  ReplySink& sink = ThreadSink();
  sink = ReplySink{.entry = &entry, .unique = header.unique};
  const bool is_ours = header.opcode == FUSE_NOTIFY_REPLY;
  const bool is_refused = entry.deaths >= kDeathsMax;
  if (is_left && !is_ours && is_refused) journal_.CountRefusal();
  if (is_left && !is_ours && !is_refused) journal_.CountReplay();
  if (!is_ours && !request.empty() && !is_refused) Answer(request);
  // Only a write may have no room, and none of that size is a trigger.
  const int refusal = request.empty() ? -EINVAL : -EIO;
  if (!sink.has_replied) ReplyStatus(entry, header.unique, is_ours ? 0 : refusal);
  sink = ReplySink{};
}

void Connection::ReportEnd(int cause) {
  if (!end_reported_.exchange(true)) on_end_(cause);
}

TransportReport Connection::Report() {
  const std::lock_guard lock(report_mutex_);
  const bool has_rings = ring_ != nullptr && journal_.HasRings();
  return TransportReport{.has_rings = has_rings,
                         .why_not = why_no_rings_,
                         .cpus = has_rings ? ring_->Cpus() : 0,
                         .forced = has_rings ? ring_->Forced() : 0};
}

void Connection::WakePoller(uint64_t poll_handle) {
  struct {
    fuse_out_header header;
    fuse_notify_poll_wakeup_out body;
  } const notice{.header = {.len = sizeof notice, .error = FUSE_NOTIFY_POLL, .unique = 0},
                 .body = {.kh = poll_handle}};
  (void)!write(fuse_session_fd(session_), &notice, sizeof notice);
}

Connection::~Connection() {
  Stop();
  ring_.reset();
  fuse_session_destroy(session_);
}

}  // namespace fuse_layer
