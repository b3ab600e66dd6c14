// SPDX-License-Identifier: Apache-2.0
// Many containers of one process each, which read when they are told to.
//
// Each process is the first of a pid namespace of its own and in a cgroup of its own. It has its
// files as a container has what is mounted into it: the way to them is walked once, in the first
// task. They end when the process that made them does.
//
// Source: clone(2), pid_namespaces(7); open(2), O_PATH.
// Units:  nanoseconds of the monotonic clock.
// Errors: those of clone, mmap and writing to cgroup.procs.
#pragma once

#include <semaphore.h>
#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/fd.h"
#include "load/tally.h"

namespace load {

enum class Task : uint8_t {
  kOnce,   // find and read each file once, then hand over to the next container; always the first
  kTurns,  // the same again and again until the end
  kPoll,   // read each file in every period, all containers at the same time
};

// The files in the order they are read; "{}" in them stands for the container's number.
struct Command {
  Task task = Task::kOnce;
  std::chrono::nanoseconds duration{};
  std::chrono::nanoseconds period{};
  std::vector<std::string> files;
};

class Fleet {
 public:
  // Makes `count` containers; "{}" in the paths of `procs` (cgroup.procs, one for each hierarchy)
  // stands for a container's number in four digits. The errno that kept it from that; 0 for none.
  int Start(size_t count, const std::vector<std::string>& procs);
  // What all of them have counted.
  Tally Run(const Command& command);
  // Kills and reaps all.
  void Stop();

 private:
  static constexpr size_t kMaxFiles = 16;
  static constexpr size_t kMaxPath = 512;

  // A container's part of the memory that all share.
  struct Member {
    sem_t go;
    Tally tally;
  };
  struct Shared {
    sem_t done;
    int failure = 0;
    Task task = Task::kOnce;
    Clock::time_point begin, end;
    Clock::duration period{};
    size_t file_count = 0;
    std::array<std::array<char, kMaxPath>, kMaxFiles> files;
  };

  [[noreturn]] void Live(size_t number, const std::vector<std::string>& procs);
  void Obey(size_t number);
  void Poll(size_t number);
  void TakeTurn(size_t number);
  void FindAll(size_t number);
  void ReadAll(size_t number);

  size_t count_ = 0;
  Shared* shared_ = nullptr;
  Member* members_ = nullptr;
  std::vector<pid_t> pids_;
  std::vector<core::Fd> places_;  // of the files, in a container's own process
};

// `text` with the number in place of "{}".
std::string Numbered(std::string_view text, size_t number);

}  // namespace load
