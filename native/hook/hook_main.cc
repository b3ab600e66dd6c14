// SPDX-License-Identifier: Apache-2.0
// lensfs-hook: gives a container that is being created the view.
//
// Source: runtime-spec, config.md "POSIX-platform Hooks"; lxc.container.conf(5), "lxc.hook".
// Units:  none.
// Errors: never fails a container: a problem is one line in a log, and exit code 0 (1 with
//         --strict).
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "attach/attachment.h"
#include "attach/container_cgroup.h"
#include "attach/file_set.h"
#include "attach/process.h"
#include "attach/source.h"
#include "core/base/fd.h"
#include "core/base/read_file.h"
#include "core/base/result.h"
#include "hook/command_line.h"
#include "hook/deadline.h"
#include "hook/lxc_container.h"
#include "hook/oci_container.h"
#include "hook/process_id.h"
#include "hook/report.h"

namespace hook {
namespace {

using core::Error;
using core::Fd;
using core::FileBuffer;
using core::Result;

constexpr std::string_view kUsage =
    "Usage: lensfs-hook create-runtime|create-container|lxc [OPTION ...]\n"
    "\n"
    "Gives a container that is being created truthful files in /proc and\n"
    "/sys/devices/system/cpu. For an OCI runtime's hooks createRuntime and createContainer, which\n"
    "pass the container's state on standard input, and for LXC's hook start-host.\n"
    "\n"
    "  --files LIST         which files, unless the container says it: all (default), off, or\n"
    "                       words with commas between them, such as cpu,memory,diskstats\n"
    "  --tree DIR           the daemon's public tree (default /var/lib/lensfs)\n"
    "  --run-dir DIR        the daemon's run directory (default /run/lensfs)\n"
    "  --log FILE           where problems are told (default: standard error and syslog)\n"
    "  --log-format FORMAT  text (default) or json\n"
    "  --strict             a problem fails the container\n"
    "\n"
    "A container chooses by the annotation lensfs.io/view or the variable LENSFS, with a LIST; in "
    "LXC\n"
    "by \"lxc.environment = LENSFS=LIST\" in its own configuration.\n";

// Together below the 30 seconds after which runtimes give the hook up. A daemon whose worker hangs
// has another one after five seconds.
constexpr Patience kFirstPatience{.silence = std::chrono::seconds(8),
                                  .total = std::chrono::seconds(20)};
constexpr Patience kSecondPatience{.silence = std::chrono::seconds(2),
                                   .total = std::chrono::seconds(5)};
constexpr size_t kStateBytesMax = size_t{1} << 20;
constexpr size_t kCgroupBytes = 4096;

struct Options {
  std::string stage;
  std::string files = "all";
  attach::Places places;
  Log log{.program = "lensfs-hook"};
  bool is_strict = false;
};

// What is worked on, from whatever runs the hook.
struct Subject {
  std::string name;
  std::optional<pid_t> pid;  // nullopt: we are in its mount namespace
  std::string root;          // "": the process's own
  std::optional<std::string> choice;
  bool has_pids = true;
};

struct Attempt {
  bool may_ask = true;  // the daemon, for the view's own directory
  std::function<void()> on_step;
};

std::string Describe(const Error& error) {
  const char* const reason = strerrordesc_np(error.errno_value);
  std::string text = std::string("cannot ") + error.operation;
  if (!error.path.empty()) text += " " + error.path;
  return text + ": " + (reason == nullptr ? "unknown error" : reason);
}

Result<Options> ReadOptions(std::span<char* const> args) {
  Options options;
  for (size_t at = 1; at < args.size(); ++at) {
    const std::string_view word = args[at];
    if (auto tree = TakeOption(args, at, "--tree")) {
      options.places.tree = std::move(*tree);
    } else if (auto run_dir = TakeOption(args, at, "--run-dir")) {
      options.places.run_dir = std::move(*run_dir);
    } else if (auto files = TakeOption(args, at, "--files")) {
      options.files = std::move(*files);
    } else if (auto format = TakeOption(args, at, "--log-format")) {
      options.log.format = *format == "json" ? LogFormat::kJson : LogFormat::kText;
    } else if (auto log = TakeOption(args, at, "--log")) {
      options.log.file = std::move(*log);
    } else if (word == "--strict") {
      options.is_strict = true;
    } else if (options.stage.empty() && !word.starts_with('-')) {
      options.stage = word;
    } else if (options.stage != "lxc") {  // LXC adds words of its own
      return Error{
          .errno_value = EINVAL, .operation = "use the argument", .path = std::string(word)};
    }
  }
  return options;
}

Result<std::string> ReadState() {
  std::string state;
  char bytes[16384];
  for (;;) {
    const ssize_t count = read(STDIN_FILENO, bytes, sizeof bytes);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return core::SystemError("read", "the container's state");
    if (count == 0) return state;
    state.append(bytes, static_cast<size_t>(count));
    if (state.size() > kStateBytesMax) {
      return Error{.errno_value = EFBIG, .operation = "read", .path = "the container's state"};
    }
  }
}

Result<Subject> ReadOciSubject(const Options& options) {
  const auto state = ReadState();
  if (!state) return state.error();
  auto container = ReadOciContainer(*state);
  if (!container) return container.error();
  std::optional<pid_t> pid;
  if (options.stage != "create-container") {
    pid = ParseProcessId(container->pid);
    if (!pid) {
      return Error{.errno_value = EINVAL,
                   .operation = "use the container's pid",
                   .path = container->pid.empty() ? "(none)" : container->pid};
    }
  }
  return Subject{.name = std::move(container->id),
                 .pid = pid,
                 .root = std::move(container->root),
                 .choice = std::move(container->choice),
                 .has_pids = container->has_pids};
}

Result<Subject> ReadLxcSubject() {
  auto container = ReadLxcContainer();
  if (!container) return container.error();
  return Subject{.name = std::move(container->name),
                 .pid = container->pid,
                 .root = "",
                 .choice = std::move(container->choice)};
}

// The files, and a problem when the container's own choice is no list.
std::pair<attach::FileSet, std::string> ChooseFiles(const Options& options,
                                                    const Subject& subject) {
  const auto by_container = attach::ParseFileSet(subject.choice.value_or(options.files));
  if (by_container) return {*by_container, ""};
  const auto by_option = attach::ParseFileSet(options.files);
  return {by_option ? *by_option : attach::AllFiles(), Describe(by_container.error())};
}

std::optional<attach::ViewPlace> PlaceOf(const Result<attach::ContainerCgroup>& cgroup) {
  if (!cgroup) return std::nullopt;
  const auto id = cgroup->Id();
  if (!id) return std::nullopt;
  return attach::ViewPlace{.cgroup = *id, .name = cgroup->ViewName()};
}

// In a cgroup namespace of our own the name is that of its root: "/".
Result<attach::ContainerCgroup> FindOwnCgroup() {
  const Fd host(open("/proc/1/ns/cgroup", O_RDONLY | O_CLOEXEC));
  if (host.valid()) (void)setns(host.get(), CLONE_NEWCGROUP);
  FileBuffer buffer(kCgroupBytes);
  const auto text = core::ReadFileAt(AT_FDCWD, "/proc/self/cgroup", buffer);
  if (!text) return text.error();
  return attach::ContainerCgroup::Find(*text);
}

Result<attach::Outcome> AttachInside(const Subject& subject,
                                     attach::Places places,
                                     const attach::FileSet& files,
                                     const Attempt& attempt) {
  if (!subject.has_pids) return attach::Outcome{};
  if (attempt.may_ask) places.view = PlaceOf(FindOwnCgroup());
  return attach::Attach({.process = nullptr, .root = subject.root}, places, files, attempt.on_step);
}

Result<attach::Outcome> AttachOutside(const Subject& subject,
                                      attach::Places places,
                                      const attach::FileSet& files,
                                      const Attempt& attempt) {
  const auto process = attach::Process::Open(subject.pid.value_or(0));
  if (!process) return process.error();
  const auto shares_pids = process->SharesPids();
  if (!shares_pids) return shares_pids.error();
  if (*shares_pids) return attach::Outcome{};
  if (attempt.may_ask) places.view = PlaceOf(attach::ContainerCgroup::Find(*process));
  return attach::Attach(
      {.process = &*process, .root = subject.root}, places, files, attempt.on_step);
}

// "" when all is as it should be.
std::string Summarize(const Result<attach::Outcome>& outcome) {
  if (!outcome) {
    // A container that shows the host's processes keeps the host's files.
    return outcome.error().errno_value == EXDEV ? "" : Describe(outcome.error());
  }
  std::string text;
  for (const attach::Left& left : outcome->left) {
    // What somebody has mounted there on purpose stays.
    if (left.reason.starts_with("covered by ")) continue;
    if (text.empty()) text = left.path + " keeps the host's values: " + left.reason;
  }
  return text;
}

std::string AttachInTime(const Options& options,
                         const Subject& subject,
                         const attach::FileSet& files) {
  const auto work = !subject.pid ? AttachInside : AttachOutside;
  const auto attempt = [&](bool may_ask) -> hook::Work {
    return [&, may_ask](const std::function<void()>& on_step) {
      const Attempt how{.may_ask = may_ask, .on_step = on_step};
      return Summarize(work(subject, options.places, files, how));
    };
  };
  const auto first = RunWithDeadline(kFirstPatience, attempt(true));
  if (first) return *first;
  // The public tree's files are found without asking anybody.
  const auto second = RunWithDeadline(kSecondPatience, attempt(false));
  if (second) return *second;
  return "the daemon of " + options.places.run_dir + " does not answer, the host's values stay";
}

std::string Run(const Options& options) {
  const auto subject = options.stage == "lxc" ? ReadLxcSubject() : ReadOciSubject(options);
  if (!subject) return Describe(subject.error());
  const auto [files, problem] = ChooseFiles(options, *subject);
  const std::string result = files.none() ? "" : AttachInTime(options, *subject, files);
  if (problem.empty() && result.empty()) return "";
  const std::string both = problem + (problem.empty() || result.empty() ? "" : "; ") + result;
  return subject->name.empty() ? both : "container " + subject->name + ": " + both;
}

int Main(std::span<char* const> args) {
  const auto options = ReadOptions(args);
  const bool is_known =
      options && (options->stage == "create-runtime" || options->stage == "create-container" ||
                  options->stage == "lxc");
  if (!is_known) {
    const Log log{.program = "lensfs-hook"};
    Report(log,
           options ? "expected create-runtime, create-container or lxc; see --help"
                   : Describe(options.error()));
    return 0;
  }
  const std::string problem = Run(*options);
  if (problem.empty()) return 0;
  Report(options->log, problem);
  return options->is_strict ? 1 : 0;
}

}  // namespace
}  // namespace hook

int main(int argc, char** argv) {
  const std::span<char* const> args(argv, static_cast<size_t>(argc));
  if (args.size() == 2 && std::string_view(args[1]) == "--help") {
    (void)!write(STDOUT_FILENO, hook::kUsage.data(), hook::kUsage.size());
    return 0;
  }
  return hook::Main(args);
}
