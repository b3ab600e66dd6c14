// SPDX-License-Identifier: Apache-2.0
#include "load/fleet.h"

#include <fcntl.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/base/fd.h"
#include "load/reading.h"
#include "load/tally.h"

namespace load {
namespace {

constexpr size_t kDigits = 4;

// Zeroed, and the same for all processes that are made later; nullptr when there is none.
void* MapShared(size_t bytes) {
  void* const memory =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}

void Wait(sem_t& semaphore) {
  while (sem_wait(&semaphore) != 0 && errno == EINTR) {
  }
}

void Post(sem_t& semaphore) {
  (void)sem_post(&semaphore);
}

// Moves this process; the errno that kept it from that, 0 for none.
int Enter(const std::string& procs) {
  const core::Fd fd(open(procs.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd.valid() || write(fd.get(), "0", 1) != 1) return errno;
  return 0;
}

}  // namespace

std::string Numbered(std::string_view text, size_t number) {
  std::string digits = std::to_string(number);
  digits.insert(0, kDigits - std::min(kDigits, digits.size()), '0');
  std::string result(text);
  for (size_t at = result.find("{}"); at != std::string::npos; at = result.find("{}", at)) {
    result.replace(at, 2, digits);
  }
  return result;
}

int Fleet::Start(size_t count, const std::vector<std::string>& procs) {
  void* const shared = MapShared(sizeof(Shared));
  void* const members = MapShared(count * sizeof(Member));
  if (shared == nullptr || members == nullptr) return ENOMEM;
  shared_ = new (shared) Shared;
  members_ = static_cast<Member*>(members);
  count_ = count;  // before there are others, who need it too
  (void)sem_init(&shared_->done, 1, 0);
  for (size_t number = 0; number < count; ++number) {
    // Zeroed memory is an empty tally; touching it here would make it all resident.
    (void)sem_init(&members_[number].go, 1, 0);
    const auto pid = static_cast<pid_t>(syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0));
    if (pid == 0) Live(number, procs);
    if (pid < 0) return errno;
    pids_.push_back(pid);
    Wait(shared_->done);
    if (shared_->failure != 0) return shared_->failure;
  }
  return 0;
}

Tally Fleet::Run(const Command& command) {
  shared_->task = command.task;
  shared_->begin = Clock::now();
  shared_->end = shared_->begin + command.duration;
  shared_->period = command.period;
  shared_->file_count = std::min(command.files.size(), kMaxFiles);
  for (size_t index = 0; index < shared_->file_count; ++index) {
    const std::string& file = command.files[index];
    *std::copy_n(file.data(), std::min(file.size(), kMaxPath - 1), shared_->files[index].data()) =
        '\0';
  }
  if (command.task == Task::kPoll) {
    for (size_t number = 0; number < count_; ++number) Post(members_[number].go);
    for (size_t number = 0; number < count_; ++number) Wait(shared_->done);
  } else {
    Post(members_[0].go);
    Wait(shared_->done);
  }
  Tally sum;
  for (size_t number = 0; number < count_; ++number) {
    Tally& own = members_[number].tally;
    if (own.reads == 0) continue;
    sum.Merge(own);
    own = Tally{};
  }
  return sum;
}

void Fleet::Stop() {
  for (const pid_t pid : pids_) (void)kill(pid, SIGKILL);
  for (const pid_t pid : pids_) (void)waitpid(pid, nullptr, 0);
  pids_.clear();
}

void Fleet::Live(size_t number, const std::vector<std::string>& procs) {
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (const std::string& each : procs) {
    const int failure = Enter(Numbered(each, number));
    if (failure != 0) shared_->failure = failure;
  }
  Post(shared_->done);
  for (;;) {
    Wait(members_[number].go);
    Obey(number);
  }
}

void Fleet::Obey(size_t number) {
  if (shared_->task == Task::kPoll) {
    Poll(number);
    Post(shared_->done);
  } else {
    TakeTurn(number);
  }
}

// The containers' periods begin one after another, evenly.
void Fleet::Poll(size_t number) {
  const auto offset = shared_->period * static_cast<Clock::rep>(number) /
                      static_cast<Clock::rep>(std::max<size_t>(count_, 1));
  for (auto next = shared_->begin + offset; next < shared_->end; next += shared_->period) {
    std::this_thread::sleep_until(next);
    ReadAll(number);
  }
}

// The last container ends the round; in kTurns the first one begins the next.
void Fleet::TakeTurn(size_t number) {
  if (shared_->task == Task::kOnce) FindAll(number);
  ReadAll(number);
  const bool is_last = number + 1 == count_;
  const bool is_over = shared_->task == Task::kOnce ? is_last : Clock::now() >= shared_->end;
  if (is_over) {
    Post(shared_->done);
  } else {
    Post(members_[is_last ? 0 : number + 1].go);
  }
}

void Fleet::FindAll(size_t number) {
  places_.clear();
  for (size_t index = 0; index < shared_->file_count; ++index) {
    const std::string path = Numbered(shared_->files[index].data(), number);
    places_.emplace_back(open(path.c_str(), O_PATH | O_CLOEXEC));
  }
}

void Fleet::ReadAll(size_t number) {
  static Buffer buffer;
  for (const core::Fd& place : places_) {
    const std::string path = "/proc/self/fd/" + std::to_string(place.get());
    const auto begin = Clock::now();
    const auto bytes = ReadByOpening(path.c_str(), buffer);
    members_[number].tally.Count(bytes, Clock::now() - begin);
  }
}

}  // namespace load
