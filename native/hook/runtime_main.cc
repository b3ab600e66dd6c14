// SPDX-License-Identifier: Apache-2.0
// lensfs-runtime: an OCI runtime that adds lensfs-hook to a container's configuration, and then is
// runc or crun.
//
// Source: runtime-spec, config.md; containerd's runc shim, which relies on the process id, the
//         inherited descriptors and the exit code.
// Units:  none.
// Errors: whatever goes wrong is one line in the runtime's log, and the runtime runs unchanged.
// Exit
//         code 127 when there is no runtime.
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/read_file.h"
#include "core/base/result.h"
#include "hook/config_edit.h"
#include "hook/find_runtime.h"
#include "hook/json.h"
#include "hook/replace_file.h"
#include "hook/report.h"
#include "hook/runtime_call.h"

namespace hook {
namespace {

using core::Error;
using core::Result;
using core::Status;
using core::Unit;

constexpr std::string_view kStage = "createRuntime";
// Of the runtime, in seconds; the hook gives up by itself before it.
constexpr std::string_view kTimeout = "30";

std::string Describe(const Error& error) {
  const char* const reason = strerrordesc_np(error.errno_value);
  return std::string("cannot ") + error.operation + " " + error.path + ": " +
         (reason == nullptr ? "unknown error" : reason);
}

// lensfs-hook is installed beside this program.
std::string FindHook(const RuntimeOptions& options) {
  if (!options.hook.empty()) return options.hook;
  char path[4096];
  const ssize_t size = readlink("/proc/self/exe", path, sizeof path);
  const std::string_view own(path, size < 0 ? 0 : static_cast<size_t>(size));
  return std::string(own.substr(0, own.rfind('/') + 1)) + "lensfs-hook";
}

OciHook MakeHook(const RuntimeCall& call, const std::string& path) {
  std::vector<std::string> args = {"lensfs-hook", "create-runtime"};
  args.insert(args.end(), call.options.passed.begin(), call.options.passed.end());
  if (!call.log.file.empty()) {
    args.push_back("--log=" + call.log.file);
    if (call.log.format == LogFormat::kJson) args.emplace_back("--log-format=json");
  }
  std::string list;
  for (const std::string& arg : args) {
    if (!list.empty()) list += ',';
    list += ToJsonString(arg);
  }
  OciHook hook{.stage = std::string(kStage), .path = path, .json = ""};
  hook.json = "{\"path\":" + ToJsonString(path) + ",\"args\":[" + list +
              "],\"timeout\":" + std::string(kTimeout) + "}";
  return hook;
}

Status EditConfig(const RuntimeCall& call, const std::string& config) {
  const std::string path = FindHook(call.options);
  // The runtime refuses a container whose hook cannot be run.
  if (access(path.c_str(), X_OK) != 0) return core::SystemError("run", path);
  core::FileBuffer buffer;
  const auto text = core::ReadFileAt(AT_FDCWD, config.c_str(), buffer);
  if (!text) return text.error();
  auto edited = AddHook(*text, MakeHook(call, path));
  if (!edited) {
    Error error = edited.error();
    error.path = config + ": " + error.path;
    return error;
  }
  const auto& text_to_write = *edited;
  if (!text_to_write) return Unit{};
  return ReplaceFile(config, *text_to_write);
}

int Main(std::span<char* const> args) {
  const RuntimeCall call = ParseRuntimeCall(args.subspan(1));
  if (call.config) {
    const Status edited = EditConfig(call, *call.config);
    if (!edited) Report(call.log, Describe(edited.error()));
  }
  const auto runtime = FindRuntime(call.options.runtime);
  constexpr int kNotFound = 127;
  if (!runtime) {
    Report(call.log, Describe(runtime.error()));
    return kNotFound;
  }
  std::vector<char*> argv = {const_cast<char*>(runtime->c_str())};
  for (const std::string& arg : call.args) argv.push_back(const_cast<char*>(arg.c_str()));
  argv.push_back(nullptr);
  execv(runtime->c_str(), argv.data());
  Report(call.log, Describe(core::SystemError("run", *runtime)));
  return kNotFound;
}

}  // namespace
}  // namespace hook

int main(int argc, char** argv) {
  return hook::Main(std::span<char* const>(argv, static_cast<size_t>(argc)));
}
