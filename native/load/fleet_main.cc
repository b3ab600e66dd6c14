// SPDX-License-Identifier: Apache-2.0
// lensfs-fleet: containers of one process each that read files. For benchmarks only.
//
//   lensfs-fleet COUNT CGROUP_PROCS ...     "{}" stands for a container's number: 0000, 0001, ...
//
// Prints "ready", then answers each line of its standard input with one of what tally.h says:
//
//   once FILE ...                           each container in turn reads the files once
//   turns SECONDS FILE ...                  the same again and again, without a pause
//   poll SECONDS PERIOD_SECONDS FILE ...    all containers read the files once in a period
//
// Ends at the end of its input.
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/text.h"
#include "load/fleet.h"
#include "load/reading.h"
#include "load/tally.h"

namespace {

using load::Clock;
using load::Command;
using load::Task;

constexpr size_t kMostContainers = 10'000;

std::optional<std::chrono::nanoseconds> TakeSeconds(std::string_view& words) {
  const auto seconds = load::ParseSeconds(core::TakeWord(words));
  if (!seconds) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
      std::chrono::duration<double>(*seconds));
}

// nullopt for a line that is no command.
std::optional<Command> ParseCommand(std::string_view line) {
  Command command;
  const std::string_view name = core::TakeWord(line);
  if (name == "turns" || name == "poll") {
    const auto duration = TakeSeconds(line);
    if (!duration) return std::nullopt;
    command.duration = *duration;
    command.task = Task::kTurns;
  }
  if (name == "poll") {
    const auto period = TakeSeconds(line);
    if (!period) return std::nullopt;
    command.period = *period;
    command.task = Task::kPoll;
  }
  for (auto file = core::TakeWord(line); !file.empty(); file = core::TakeWord(line)) {
    command.files.emplace_back(file);
  }
  const bool is_known = name == "once" || name == "turns" || name == "poll";
  if (!is_known || command.files.empty()) return std::nullopt;
  return command;
}

void Print(const std::string& line) {
  (void)std::puts(line.c_str());
  (void)std::fflush(stdout);
}

int Serve(load::Fleet& fleet) {
  Print("ready");
  for (std::string line; std::getline(std::cin, line);) {
    const auto command = ParseCommand(line);
    if (!command) {
      (void)std::fprintf(stderr, "lensfs-fleet: no command: %s\n", line.c_str());
      return 2;
    }
    const auto begin = Clock::now();
    const load::Tally tally = fleet.Run(*command);
    Print(ToJson(tally, Clock::now() - begin));
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  const auto count = words.empty() ? std::nullopt : core::ParseU64(words[0]);
  if (!count || *count == 0 || *count > kMostContainers) {
    (void)std::fputs("usage: lensfs-fleet COUNT CGROUP_PROCS ...\n", stderr);
    return 2;
  }
  load::Fleet fleet;
  const int failure = fleet.Start(*count, {words.begin() + 1, words.end()});
  int code = 1;
  if (failure == 0) {
    code = Serve(fleet);
  } else {
    (void)std::fprintf(stderr, "lensfs-fleet: cannot start: errno %d\n", failure);
  }
  fleet.Stop();
  return code;
}
