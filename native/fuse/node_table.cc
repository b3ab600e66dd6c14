// SPDX-License-Identifier: Apache-2.0
#include "fuse/node_table.h"

#include <fuse_lowlevel.h>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/catalog/catalog.h"

namespace fuse_layer {
namespace {

std::string_view DirectoryOf(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

}  // namespace

std::string_view BaseNameOf(std::string_view path) {
  return path.substr(path.find_last_of('/') + 1);  // npos + 1 is 0
}

// FNV-1a, 64 bits.
uint64_t NodeIdOf(const Node& node) {
  if (node.kind == NodeKind::kDirectory && node.path.empty()) return FUSE_ROOT_ID;
  uint64_t hash = 0xcbf29ce484222325;
  const auto add = [&hash](std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  };
  if (node.kind == NodeKind::kSys) add("host:");
  add(node.path);
  // The upper half stays free for other trees on the same connection, and 0 and 1 are taken.
  return (hash >> 1) | 2;
}

NodeTable::NodeTable(const std::vector<bool>& is_available) {
  const auto add = [this](const Node& node) {
    if (nodes_.emplace(NodeIdOf(node), node).second) own_.push_back(node);
  };
  const auto add_directories = [&add](std::string_view path) {
    for (; !path.empty(); path = DirectoryOf(path)) {
      add(Node{.kind = NodeKind::kDirectory, .file = 0, .path = std::string(path)});
    }
  };
  add(Node{});
  add(Node{.kind = NodeKind::kSys, .file = 0, .path = ""});
  add_directories(DirectoryOf(kSysCpuDirectory));
  const auto files = core::catalog::Files();
  for (size_t file = 0; file < files.size(); ++file) {
    if (!is_available[file]) continue;
    const std::string_view path = files[file].path;
    add(Node{.kind = NodeKind::kFile, .file = file, .path = std::string(path)});
    if (DirectoryOf(path) != kSysCpuDirectory) add_directories(DirectoryOf(path));
  }
}

std::optional<Node> NodeTable::Find(uint64_t id) const {
  const std::shared_lock lock(mutex_);
  const auto found = nodes_.find(id);
  if (found == nodes_.end()) return std::nullopt;
  return found->second;
}

std::optional<Node> NodeTable::FindChild(const Node& parent, std::string_view name) const {
  for (const Node& child : Children(parent)) {
    const bool is_sys_cpu = child.kind == NodeKind::kSys;
    if (name == BaseNameOf(is_sys_cpu ? kSysCpuDirectory : std::string_view(child.path))) {
      return child;
    }
  }
  return std::nullopt;
}

std::vector<Node> NodeTable::Children(const Node& parent) const {
  const bool is_sys_cpu = parent.kind == NodeKind::kSys && parent.path.empty();
  if (parent.kind == NodeKind::kSys && !is_sys_cpu) return {};
  const std::string_view path = is_sys_cpu ? kSysCpuDirectory : std::string_view(parent.path);
  std::vector<Node> children;
  for (const Node& node : own_) {
    if (node.kind != NodeKind::kSys && node.path.empty()) continue;  // the root
    const std::string_view own = node.kind == NodeKind::kSys ? kSysCpuDirectory : node.path;
    if (DirectoryOf(own) == path) children.push_back(node);
  }
  return children;
}

uint64_t NodeTable::Remember(const Node& node) {
  const uint64_t id = NodeIdOf(node);
  const std::unique_lock lock(mutex_);
  nodes_.emplace(id, node);
  return id;
}

}  // namespace fuse_layer
