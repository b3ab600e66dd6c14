// SPDX-License-Identifier: Apache-2.0
#include "keeper/containers.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "attach/attachment.h"
#include "attach/container_cgroup.h"
#include "attach/process.h"
#include "attach/registry.h"
#include "attach/source.h"
#include "attach/withdrawal.h"
#include "core/base/fd.h"
#include "core/base/read_file.h"
#include "core/base/result.h"
#include "core/base/text.h"
#include "keeper/log.h"
#include "mounts/layer.h"

namespace keeper {
namespace {

using attach::Devices;
using attach::Holder;
using core::Fd;

constexpr size_t kAtOnce = 4;
// A container that takes longer lets the others go first: the machine may be busy, or the container
// may hold up what enters it.
constexpr unsigned kContainerSeconds = 3;
constexpr unsigned kSlowContainerSeconds = 10;
constexpr unsigned kAllSeconds = 45;
// A container decides how many mounts it has.
constexpr rlim_t kMemoryBytes = rlim_t{256} << 20;
constexpr size_t kDevicesMax = 64;
// What a container's process says with its exit code.
constexpr int kNothing = 0;
constexpr int kDone = 1;

std::string WithdrawnFile(const ContainerPlaces& places) {
  return places.run_dir + "/withdrawn";
}
std::string DevicesFile(const ContainerPlaces& places) {
  return places.run_dir + "/devices";
}

Devices MountedDevices(const ContainerPlaces& places) {
  Devices devices;
  for (const char* const name : {"/mnt/shared", "/mnt/pinned"}) {
    const auto shown = mounts::ShownAt(places.run_dir + name);
    if (shown) devices.push_back(shown->device);
  }
  return devices;
}

Devices ReadDevices(const ContainerPlaces& places) {
  Devices devices;
  core::FileBuffer buffer(1024);
  const auto text = core::ReadFileAt(AT_FDCWD, DevicesFile(places).c_str(), buffer);
  std::string_view rest = text ? *text : "";
  while (!rest.empty()) devices.emplace_back(core::TakeLine(rest));
  return devices;
}

void WriteFile(const std::string& path, const std::string& text) {
  const std::string next = path + ".new";
  const Fd file(open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file.valid() || write(file.get(), text.data(), text.size()) < 0) return;
  (void)rename(next.c_str(), path.c_str());
}

void LogCount(const char* level, const char* message, size_t count) {
  if (count > 0) Log(level, message, "\"containers\":" + std::to_string(count));
}

// The next keeper works in the same containers: what is left of this one must not.
void EndWithParent(pid_t parent) {
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(0);
}

void LimitSelf(unsigned seconds) {
  (void)signal(SIGALRM, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, nullptr);
  alarm(seconds);
}

// Something to do in a container, in a process of its own that ends after so many seconds.
template <typename Container>
using Work = std::function<int(const Container&, unsigned seconds)>;

template <typename Container>
struct Outcome {
  size_t done = 0;  // have had something done
  std::vector<const Container*> late;
};

// Several at a time.
template <typename Container>
Outcome<Container> RunAll(const std::vector<const Container*>& containers,
                          unsigned seconds,
                          const Work<Container>& work) {
  Outcome<Container> outcome;
  std::unordered_map<pid_t, const Container*> running;
  // NOLINTBEGIN(misc-include-cleaner): <sys/wait.h> has these macros, and <stdlib.h> has them too.
  const auto await_one = [&] {
    int status = 0;
    const auto ended = running.extract(waitpid(-1, &status, 0));
    if (!ended) return running.clear();
    if (WIFEXITED(status) && WEXITSTATUS(status) == kDone) ++outcome.done;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) outcome.late.push_back(ended.mapped());
  };
  // NOLINTEND(misc-include-cleaner)
  const pid_t self = getpid();
  for (const Container* const container : containers) {
    if (running.size() == kAtOnce) await_one();
    const pid_t pid = fork();
    if (pid < 0) continue;
    if (pid == 0) {
      EndWithParent(self);
      LimitSelf(seconds);
      const rlimit memory{.rlim_cur = kMemoryBytes, .rlim_max = kMemoryBytes};
      (void)setrlimit(RLIMIT_AS, &memory);
      _exit(work(*container, seconds));
    }
    running.emplace(pid, container);
  }
  while (!running.empty()) await_one();
  return outcome;
}

// How many have had something done.
template <typename Container>
size_t ForEach(const std::vector<Container>& containers, const Work<Container>& work) {
  std::vector<const Container*> all;
  all.reserve(containers.size());
  for (const Container& container : containers) all.push_back(&container);
  const auto first = RunAll(all, kContainerSeconds, work);
  const auto second = RunAll(first.late, kSlowContainerSeconds, work);
  LogCount("warn", "Containers could not be entered in time", second.late.size());
  return first.done + second.done;
}

attach::Places PlacesOf(const attach::Process& process, const ContainerPlaces& places) {
  attach::Places found{.tree = places.tree, .run_dir = places.run_dir, .view = std::nullopt};
  const auto cgroup = attach::ContainerCgroup::Find(process);
  if (!cgroup) return found;
  const auto id = cgroup->Id();
  if (id) found.view = attach::ViewPlace{.cgroup = *id, .name = cgroup->ViewName()};
  return found;
}

int WithdrawFrom(const Holder& holder, const Devices& devices, const Fd& log) {
  const auto process = attach::Process::Open(holder.pids.front());
  if (!process) return kNothing;
  const auto has_any = attach::HasMountOf(*process, devices);
  if (!has_any || !*has_any) return kNothing;
  // Before the container is entered, where there is another /proc.
  const std::string known = attach::FormatHolder(holder);
  const auto files = attach::Withdraw(*process, devices);
  if (!files || files->none()) return kNothing;
  const std::string line = known + attach::FormatFiles(*files);
  (void)!write(log.get(), line.data(), line.size());  // in one piece
  return kDone;
}

// Each step in a process of its own: the first one stays in the container.
int InChild(unsigned seconds, const std::function<void()>& step) {
  const pid_t self = getpid();
  const pid_t pid = fork();
  if (pid == 0) {
    EndWithParent(self);
    alarm(seconds);
    step();
    _exit(0);
  }
  int status = 0;
  return pid > 0 && waitpid(pid, &status, 0) == pid ? kDone : kNothing;
}

void RepairIn(pid_t pid, const ContainerPlaces& places) {
  const auto process = attach::Process::Open(pid);
  if (process) (void)attach::Repair(*process, PlacesOf(*process, places));
}

int ReturnTo(const attach::Withdrawn& container, const ContainerPlaces& places, unsigned seconds) {
  const auto pid = attach::FindProcess(container);
  if (!pid) return kNothing;
  (void)InChild(seconds, [&] { RepairIn(*pid, places); });
  return InChild(seconds, [&] {
    const auto process = attach::Process::Open(*pid);
    if (!process) return;
    (void)attach::Attach(
        {.process = &*process, .root = ""}, PlacesOf(*process, places), container.files);
  });
}

int Renew(const Holder& holder,
          const Devices& devices,
          const ContainerPlaces& places,
          unsigned seconds) {
  {
    const auto process = attach::Process::Open(holder.pids.front());
    if (!process) return kNothing;
    const auto has_any = attach::HasMountOf(*process, devices);
    if (!has_any || !*has_any) return kNothing;
  }
  return InChild(seconds, [&] { RepairIn(holder.pids.front(), places); });
}

}  // namespace

void RememberDevices(const ContainerPlaces& places) {
  Devices devices = ReadDevices(places);
  for (std::string& device : MountedDevices(places)) {
    if (std::ranges::find(devices, device) == devices.end()) devices.push_back(std::move(device));
  }
  std::string text;
  const size_t first = devices.size() > kDevicesMax ? devices.size() - kDevicesMax : 0;
  for (size_t index = first; index < devices.size(); ++index) text += devices[index] + "\n";
  WriteFile(DevicesFile(places), text);
}

void WithdrawFromContainers(const ContainerPlaces& places) {
  const Devices devices = MountedDevices(places);
  const std::string path = WithdrawnFile(places);
  const Fd log(open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  const size_t count = ForEach<Holder>(attach::ListHolders(), [&](const Holder& holder, unsigned) {
    return WithdrawFrom(holder, devices, log);
  });
  LogCount("info", "Containers have the kernel's own files again", count);
}

void ReturnToContainers(const ContainerPlaces& places) {
  const std::string path = WithdrawnFile(places);
  core::FileBuffer buffer;
  const auto text = core::ReadFileAt(AT_FDCWD, path.c_str(), buffer);
  const auto containers = text ? attach::ParseWithdrawn(*text) : std::vector<attach::Withdrawn>();
  const size_t returned = ForEach<attach::Withdrawn>(
      containers, [&](const attach::Withdrawn& container, unsigned seconds) {
        return ReturnTo(container, places, seconds);
      });
  (void)unlink(path.c_str());
  LogCount("info", "Containers have their files back", returned);
  const Devices mounted = MountedDevices(places);
  Devices dead = ReadDevices(places);
  std::erase_if(dead, [&](const std::string& device) {
    return std::ranges::find(mounted, device) != mounted.end();
  });
  if (dead.empty()) return;
  const size_t renewed = ForEach<Holder>(
      attach::ListHolders(),
      [&](const Holder& holder, unsigned seconds) { return Renew(holder, dead, places, seconds); });
  LogCount("info", "Containers' files have been renewed", renewed);
}

core::Result<pid_t> StartWork(void (*work)(const ContainerPlaces&), const ContainerPlaces& places) {
  const pid_t self = getpid();
  const pid_t pid = fork();
  if (pid < 0) return core::SystemError("start", "work in containers");
  if (pid > 0) return pid;
  EndWithParent(self);
  // Whoever takes over from a keeper that dies meanwhile is to find nothing held.
  (void)close_range(STDERR_FILENO + 1, ~0U, 0);
  LimitSelf(kAllSeconds);
  work(places);
  _exit(0);
}

std::optional<int> RunContainersCommand(int argc, char** argv) {
  const std::vector<std::string_view> args(argv + 1, argv + argc);
  if (args.size() != 5 || args[0] != "withdraw" || args[1] != "--tree" || args[3] != "--run-dir") {
    return std::nullopt;
  }
  WithdrawFromContainers({.tree = std::string(args[2]), .run_dir = std::string(args[4])});
  return 0;
}

}  // namespace keeper
