// SPDX-License-Identifier: Apache-2.0
#include "keeper/log.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/printable.h"
#include "core/base/result.h"

namespace keeper {
namespace {

constexpr uint32_t kInfo = 30;
constexpr uint32_t kWarn = 40;
constexpr uint32_t kError = 50;

// The process has one log, and one thread.
uint32_t least_level = kInfo;
bool is_journal = false;

uint32_t NumberOf(std::string_view level) {
  if (level == "error") return kError;
  return level == "warn" ? kWarn : kInfo;
}

// As in sd-daemon(3).
std::string_view PriorityOf(std::string_view level) {
  if (level == "error") return "<3>";
  return level == "warn" ? "<4>" : "<6>";
}

void Write(const std::string& line) {
  (void)!write(STDERR_FILENO, line.data(), line.size());
}

// "2026-11-24T13:42:23.415Z"
std::string Now() {
  timespec now{};
  tm parts{};
  char text[32];
  (void)clock_gettime(CLOCK_REALTIME, &now);
  (void)gmtime_r(&now.tv_sec, &parts);
  const size_t length = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.", &parts);
  std::string milliseconds = std::to_string(now.tv_nsec / 1'000'000);
  milliseconds.insert(0, 3 - milliseconds.size(), '0');
  return std::string(text, length) + milliseconds + "Z";
}

}  // namespace

void SetLogLevel(uint32_t level) {
  least_level = level;
}

void FindJournal() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread.
  const char* const stream = getenv("JOURNAL_STREAM");
  struct stat status{};
  if (stream == nullptr || fstat(STDERR_FILENO, &status) != 0) return;
  is_journal = stream == std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
}

void Log(std::string_view level, std::string_view message, std::string_view details) {
  if (NumberOf(level) < least_level) return;
  std::string line(is_journal ? PriorityOf(level) : "");
  line.append(R"({"level":")").append(level).append(R"(","time":")").append(Now());
  line.append(R"(","pid":)").append(std::to_string(getpid()));
  if (!details.empty()) line.append(",").append(details);
  Write(line.append(R"(,"msg":")").append(message).append("\"}\n"));
}

void LogFailure(std::string_view message, const core::Error& error) {
  const std::string cause =
      std::string(error.operation) + " " + error.path + ": " + strerrordesc_np(error.errno_value);
  Log("error", message, R"("cause":)" + core::PrintableJson(cause));
}

void Complain(std::string_view message) {
  Write(std::string("lensfs: ").append(core::Printable(message)).append("\n"));
}

}  // namespace keeper
