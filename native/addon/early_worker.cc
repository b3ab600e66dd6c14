// SPDX-License-Identifier: Apache-2.0
#include "addon/early_worker.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "addon/options.h"
#include "addon/preset.h"
#include "addon/session.h"
#include "addon/worker_link.h"
#include "core/base/fd.h"
#include "core/base/link.h"
#include "core/base/read_file.h"

namespace addon {
namespace {

using core::LinkMessage;

constexpr const char* kPreload = "LD_PRELOAD";
constexpr std::string_view kVersionKey = "\"version\":";

// Found by whatever JavaScript makes first, and there as long as the process: its link's thread
// calls it.
EarlyWorker* the_worker = nullptr;

// Programs that this process starts are not to load the addon. What else is there stays.
void LeaveEnvironment(std::string_view addon) {
  // NOLINTBEGIN(concurrency-mt-unsafe): there is one thread.
  const char* const found = getenv(kPreload);
  const std::string preload = found == nullptr ? "" : found;
  (void)unsetenv(core::kPreloadVariable);
  if (preload.size() > addon.size() && preload.starts_with(addon)) {
    (void)setenv(kPreload, preload.c_str() + addon.size() + 1, 1);
  } else {
    (void)unsetenv(kPreload);
  }
  // NOLINTEND(concurrency-mt-unsafe)
}

// Of package.json, which is two directories above the addon's.
std::string ReadVersion(const std::string& addon) {
  const std::string directory = addon.substr(0, addon.rfind('/'));
  core::FileBuffer buffer;
  const auto text = core::ReadFileAt(AT_FDCWD, (directory + "/../../package.json").c_str(), buffer);
  if (!text) return "";
  const size_t key = text->find(kVersionKey);
  if (key == std::string_view::npos) return "";
  const size_t begin = text->find('"', key + kVersionKey.size());
  if (begin == std::string_view::npos) return "";
  return std::string(text->substr(begin + 1, text->find('"', begin + 1) - begin - 1));
}

// What is in force, if this version has written it.
std::optional<Preset> ReadOwnPreset() {
  Dl_info own{};
  if (dladdr(reinterpret_cast<const void*>(&ReadOwnPreset), &own) == 0) return std::nullopt;
  auto preset = ReadPreset(core::kWorkerFirstFd + core::kConfigFd);
  if (!preset || preset->version != ReadVersion(own.dli_fname)) return std::nullopt;
  return preset;
}

__attribute__((constructor)) void OnLoad() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread.
  const char* const addon = getenv(core::kPreloadVariable);
  if (addon == nullptr) return;
  LeaveEnvironment(std::string(addon));
  EarlyWorker::Start();
}

}  // namespace

EarlyWorker* EarlyWorker::Get() {
  return the_worker;
}

void EarlyWorker::Start() {
  const auto preset = ReadOwnPreset();
  if (!preset) return;
  the_worker = new EarlyWorker();  // lives as long as the process
  const std::lock_guard lock(the_worker->mutex_);
  the_worker->known_link_ = the_worker->link_ = std::make_shared<WorkerLink>(
      core::Fd(core::kWorkerLinkFd), preset->run_dir, [](WorkerLink::Event event, uint32_t value) {
        the_worker->OnEvent(event, value);
      });
}

// On the link's thread.
void EarlyWorker::OnEvent(WorkerLink::Event event, uint32_t value) {
  if (event == WorkerLink::Event::kServe) Serve();
  const std::lock_guard lock(mutex_);
  if (listener_) {
    listener_(event, value);
  } else {
    waiting_.emplace_back(event, value);
  }
}

void EarlyWorker::Serve() {
  std::shared_ptr<WorkerLink> link;
  {
    const std::lock_guard lock(mutex_);
    link = known_link_.lock();
  }
  // Read again: it may have had to wait for its turn.
  auto preset = ReadOwnPreset();
  if (!preset) return;
  auto opened = Session::Open(preset->session);
  if (!opened) return;
  const std::shared_ptr<Session> session = std::move(*opened);
  session->GetEngine().SetPolicyRules(std::move(preset->rules));
  if (link->Forgives()) session->ForgiveRequests();
  ServeOptions options{
      .fds = {}, .tree = std::move(preset->tree), .shared = std::move(preset->shared)};
  for (int fd = 0; fd < core::kLinkFdCount; ++fd) options.fds.push_back(core::kWorkerFirstFd + fd);
  const std::weak_ptr<WorkerLink> lost(link);
  const auto on_end = [lost](int /*errno_value*/) {
    if (const auto known = lost.lock()) known->Send(LinkMessage::kLost);
  };
  if (!session->Serve(std::move(options), on_end)) return;
  link->Attach(session);
  link->Send(LinkMessage::kServing);
  const std::lock_guard lock(mutex_);
  session_ = session;
}

std::shared_ptr<WorkerLink> EarlyWorker::TakeLink(WorkerLink::Listener listener) {
  const std::lock_guard lock(mutex_);
  listener_ = std::move(listener);
  for (const auto& [event, value] : waiting_) listener_(event, value);
  waiting_.clear();
  return std::move(link_);
}

void EarlyWorker::DropListener() {
  const std::lock_guard lock(mutex_);
  listener_ = nullptr;
}

std::shared_ptr<Session> EarlyWorker::TakeSession() {
  const std::lock_guard lock(mutex_);
  return std::move(session_);
}

}  // namespace addon
