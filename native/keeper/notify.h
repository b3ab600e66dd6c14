// SPDX-License-Identifier: Apache-2.0
// What the service manager is told, when there is one.
//
// Source: sd_notify(3), sd_pid_notify_with_fds(3): lines of NAME=VALUE in one datagram.
// Units:  none.
// Errors: none; a manager that does not listen is as good as none.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/base/fd.h"

namespace keeper {

class Notifier {
 public:
  // Takes NOTIFY_SOCKET, and all that was meant for this process alone, out of the environment.
  static Notifier FromEnvironment();

  [[nodiscard]] bool IsListening() const { return socket_.valid(); }
  void Send(std::string_view lines, std::span<const int> fds = {}) const;

 private:
  core::Fd socket_;
  std::string path_;
};

// The line about a configuration with so many problems.
std::string StatusOf(unsigned problems);

}  // namespace keeper
