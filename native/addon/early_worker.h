// SPDX-License-Identifier: Apache-2.0
// A worker's data plane before there is JavaScript.
//
// The keeper has the dynamic linker load the addon (LD_PRELOAD) into the Node.js that it starts.
// The addon then answers reads while Node.js starts, which takes several times as long as all the
// rest. When JavaScript comes it finds link and data plane here, and goes on with them. Whenever
// something is not as it should be nothing is done: JavaScript then does it all, later.
//
// Source: ld.so(8).
// Units:  none.
// Errors: none.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "addon/session.h"
#include "addon/worker_link.h"

namespace addon {

class EarlyWorker {
 public:
  // This process's; null when it is no worker, or one that waits for JavaScript.
  static EarlyWorker* Get();

  // The link, whose events `listener` is told from now on, those first that there were already.
  std::shared_ptr<WorkerLink> TakeLink(WorkerLink::Listener listener);
  // What serves already; null when nothing does. To be called after the event kServe.
  std::shared_ptr<Session> TakeSession();

  // Ends what TakeLink() has begun: the link has stopped.
  void DropListener();

  // For the code that runs when the addon is loaded.
  static void Start();

 private:
  void OnEvent(WorkerLink::Event event, uint32_t value);
  void Serve();

  std::mutex mutex_;                  // guards all below
  std::shared_ptr<WorkerLink> link_;  // until JavaScript takes it
  std::weak_ptr<WorkerLink> known_link_;
  std::shared_ptr<Session> session_;
  WorkerLink::Listener listener_;
  std::vector<std::pair<WorkerLink::Event, uint32_t>> waiting_;
};

}  // namespace addon
