// SPDX-License-Identifier: Apache-2.0
#include "addon/process_functions.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <napi.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "addon/arguments.h"
#include "addon/options.h"
#include "core/base/fd.h"
#include "core/base/handover.h"
#include "core/base/link.h"
#include "core/base/result.h"
#include "core/proc/host_cgroup_namespace.h"

namespace addon {
namespace {

using core::Error;
using core::Fd;
using core::Result;
using core::SystemError;

constexpr int kBacklog = 64;

Result<Fd> MakeMemory(const std::string& name) {
  Fd memory(memfd_create(name.c_str(), MFD_CLOEXEC));
  if (!memory.valid()) return SystemError("make memory", name);
  return memory;
}

// A listening socket at `path`, which must not exist.
Result<Fd> Listen(const std::string& path, int mode) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return Error{.errno_value = ENAMETOOLONG, .operation = "bind", .path = path};
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  Fd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener.valid()) return SystemError("make socket", path);
  if (bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return SystemError("bind", path);
  }
  // Nobody can connect before listen(2), so nobody gets in by the mode that the umask gives.
  if (chmod(path.c_str(), static_cast<mode_t>(mode)) != 0) return SystemError("chmod", path);
  if (listen(listener.get(), kBacklog) != 0) return SystemError("listen", path);
  return listener;
}

Napi::Value JsIsConnected(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const int fd = arguments.Number("fd");
  if (!arguments.IsGood()) return {};
  pollfd polled{.fd = fd, .events = 0, .revents = 0};
  const bool is_polled = poll(&polled, 1, 0) >= 0;
  return Napi::Boolean::New(info.Env(), is_polled && (polled.revents & (POLLERR | POLLNVAL)) == 0);
}

Napi::Value JsMakeMemory(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const std::string name = arguments.Text("name");
  if (!arguments.IsGood()) return {};
  return ToJs(info.Env(), MakeMemory(name));
}

Napi::Value JsListen(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const std::string path = arguments.Text("path");
  const int mode = arguments.Number("mode");
  if (!arguments.IsGood()) return {};
  return ToJs(info.Env(), Listen(path, mode));
}

Napi::Value JsEnterHostCgroups(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const std::string proc_root = arguments.Text("procRoot");
  if (!arguments.IsGood()) return {};
  return ToJs(info.Env(), core::proc::EnterHostCgroupNamespace(proc_root));
}

// Becomes another program, with the same process id and of all that Node.js has open `fds` and
// the standard descriptors; returns only with an error.
Napi::Value JsBecome(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  std::vector<std::string> command = arguments.Texts("command");
  std::vector<int> fds = arguments.Numbers("fds");
  if (!arguments.IsGood() || command.empty()) return {};
  // Node.js marks these too.
  fds.insert(fds.end(), {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO});
  for (const int fd : fds) {
    // Node.js opens everything close-on-exec, and so does the addon.
    if (fcntl(fd, F_SETFD, 0) != 0) {
      return ThrowError(info.Env(), SystemError("keep", std::to_string(fd)));
    }
  }
  std::vector<char*> argv;
  argv.reserve(command.size() + 1);
  for (std::string& word : command) argv.push_back(word.data());
  argv.push_back(nullptr);
  execv(argv.front(), argv.data());
  return ThrowError(info.Env(), SystemError("execute", command.front()));
}

// {link, worker, fds} of what is offered at `path`, see core/base/handover.h; undefined when
// nothing is. `link` is -1 when no worker serves.
Napi::Value JsTakeOver(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const std::string path = arguments.Text("path");
  if (!arguments.IsGood()) return {};
  auto handover = core::RequestHandover(path);
  if (!handover) {
    const int cause = handover.error().errno_value;
    if (cause == ENOENT || cause == ENOTDIR || cause == ECONNREFUSED) return info.Env().Undefined();
    return ThrowError(info.Env(), handover.error());
  }
  Napi::Array fds = Napi::Array::New(info.Env());
  for (Fd& fd : handover->fds) fds.Set(fds.Length(), Napi::Number::New(info.Env(), fd.release()));
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("link", Napi::Number::New(info.Env(), handover->link.release()));
  result.Set("worker", Napi::Number::New(info.Env(), handover->worker));
  result.Set("fds", fds);
  return result;
}

// (options of an engine, {version, runDir, tree, shared}): bytes for preset.h.
Napi::Value JsPackPreset(const Napi::CallbackInfo& info) {
  std::string message;
  const std::string bytes = ToPreset(info[0], info[1], message);
  if (!message.empty()) {
    Napi::TypeError::New(info.Env(), message).ThrowAsJavaScriptException();
    return {};
  }
  const auto buffer = Napi::Buffer<char>::Copy(info.Env(), bytes.data(), bytes.size());
  return {info.Env(), buffer};
}

}  // namespace

void DefineProcessFunctions(Napi::Env env, Napi::Object exports) {
  exports.Set("isConnected", Napi::Function::New<JsIsConnected>(env));
  exports.Set("makeMemory", Napi::Function::New<JsMakeMemory>(env));
  exports.Set("listen", Napi::Function::New<JsListen>(env));
  exports.Set("enterHostCgroups", Napi::Function::New<JsEnterHostCgroups>(env));
  exports.Set("become", Napi::Function::New<JsBecome>(env));
  exports.Set("packPreset", Napi::Function::New<JsPackPreset>(env));
  exports.Set("takeOver", Napi::Function::New<JsTakeOver>(env));
  exports.Set("firstWorkerFd", Napi::Number::New(env, core::kWorkerFirstFd));
}

}  // namespace addon
