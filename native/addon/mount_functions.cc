// SPDX-License-Identifier: Apache-2.0
#include "addon/mount_functions.h"

#include <napi.h>

#include <string>
#include <vector>

#include "addon/arguments.h"
#include "mounts/connection_mount.h"
#include "mounts/settle.h"
#include "mounts/stable_tree.h"

namespace addon {
namespace {

Napi::Value JsMountConnection(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const std::string path = arguments.Text("path");
  const bool is_writable = arguments.Boolean("writable");
  if (!arguments.IsGood()) return {};
  const auto access = is_writable ? mounts::Access::kReadWrite : mounts::Access::kReadOnly;
  return ToJs(info.Env(), mounts::MountConnection(path, access));
}

Napi::Value JsUnmount(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const std::string path = arguments.Text("path");
  if (!arguments.IsGood()) return {};
  return ToJs(info.Env(), mounts::Unmount(path));
}

Napi::Value JsStageTree(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const std::string tree = arguments.Text("tree");
  const std::vector<std::string> leaves = arguments.Texts("leaves");
  const mounts::LayerSource native{.proc = arguments.Text("proc"), .sys = arguments.Text("sys")};
  if (!arguments.IsGood()) return {};
  return ToJs(info.Env(), mounts::StageTree(tree, leaves, native));
}

Napi::Value JsSettleLayer(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const std::string tree = arguments.Text("tree");
  const mounts::LayerSource source{.proc = arguments.Text("proc"), .sys = arguments.Text("sys")};
  if (!arguments.IsGood()) return {};
  return ToJs(info.Env(), mounts::SettleLayer(tree, source));
}

Napi::Value JsRemoveTree(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const std::string tree = arguments.Text("tree");
  if (!arguments.IsGood()) return {};
  return ToJs(info.Env(), mounts::RemoveTree(tree));
}

Napi::Value JsLockTree(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const std::string tree = arguments.Text("tree");
  if (!arguments.IsGood()) return {};
  return ToJs(info.Env(), mounts::LockTree(tree));
}

Napi::Value JsIsTree(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const std::string tree = arguments.Text("tree");
  if (!arguments.IsGood()) return {};
  return Napi::Boolean::New(info.Env(), mounts::IsTree(tree));
}

Napi::Value JsIsOnTop(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const std::string tree = arguments.Text("tree");
  const std::string connection = arguments.Text("connection");
  if (!arguments.IsGood()) return {};
  const auto is_on_top = mounts::IsOnTop(tree, connection);
  if (!is_on_top) return ThrowError(info.Env(), is_on_top.error());
  return Napi::Boolean::New(info.Env(), *is_on_top);
}

Napi::Value JsCountLayers(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const std::string tree = arguments.Text("tree");
  if (!arguments.IsGood()) return {};
  const auto count = mounts::CountLayers(tree);
  if (!count) return ThrowError(info.Env(), count.error());
  return Napi::Number::New(info.Env(), static_cast<double>(*count));
}

}  // namespace

void DefineMountFunctions(Napi::Env env, Napi::Object exports) {
  exports.Set("mountConnection", Napi::Function::New<JsMountConnection>(env));
  exports.Set("unmount", Napi::Function::New<JsUnmount>(env));
  exports.Set("stageTree", Napi::Function::New<JsStageTree>(env));
  exports.Set("settleLayer", Napi::Function::New<JsSettleLayer>(env));
  exports.Set("removeTree", Napi::Function::New<JsRemoveTree>(env));
  exports.Set("lockTree", Napi::Function::New<JsLockTree>(env));
  exports.Set("isTree", Napi::Function::New<JsIsTree>(env));
  exports.Set("isOnTop", Napi::Function::New<JsIsOnTop>(env));
  exports.Set("countLayers", Napi::Function::New<JsCountLayers>(env));
}

}  // namespace addon
