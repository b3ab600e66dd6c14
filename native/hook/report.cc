// SPDX-License-Identifier: Apache-2.0
#include "hook/report.h"

#include <fcntl.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "core/base/fd.h"
#include "core/base/printable.h"

namespace hook {
namespace {

std::string Now() {
  const time_t now = time(nullptr);
  tm utc{};
  char text[32];
  if (gmtime_r(&now, &utc) == nullptr) return "";
  return {text, strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc)};
}

std::string ToLine(const Log& log, std::string_view message) {
  const std::string text = core::PrintableJson(log.program + ": " + std::string(message));
  if (log.format == LogFormat::kJson) {
    return "{\"level\":\"warning\",\"msg\":" + text + ",\"time\":\"" + Now() + "\"}\n";
  }
  return "time=\"" + Now() + "\" level=warning msg=" + text + "\n";
}

void WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = write(fd, text.data(), text.size());
    if (count <= 0) return;
    text.remove_prefix(static_cast<size_t>(count));
  }
}

}  // namespace

void Report(const Log& log, std::string_view text) {
  const std::string message = core::Printable(text);
  if (!log.file.empty()) {
    constexpr int kMode = 0644;
    const core::Fd file(open(log.file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, kMode));
    if (file.valid()) return WriteAll(file.get(), ToLine(log, message));
  }
  // Runtimes show a hook's standard error only when it fails.
  WriteAll(STDERR_FILENO, log.program + ": " + message + "\n");
  openlog(log.program.c_str(), LOG_PID | LOG_NDELAY, LOG_DAEMON);
  syslog(LOG_WARNING, "%s", message.c_str());
  closelog();
}

}  // namespace hook
