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

#include "fuse/catalog_tree.h"

namespace fuse_layer {
namespace {

Node ViewsNode() {
  return Node{.kind = NodeKind::kViews, .file = 0, .path = std::string(kViewsDirectory)};
}

bool IsRoot(const Node& node) {
  return node.kind == NodeKind::kDirectory && node.path.empty();
}

}  // namespace

std::string_view NameOf(const Node& node) {
  const bool is_sys_cpu = node.kind == NodeKind::kSys && node.path.empty();
  return BaseNameOf(is_sys_cpu ? kSysCpuDirectory : std::string_view(node.path));
}

uint64_t NodeIdOf(const Node& node) {
  if (IsRoot(node)) return FUSE_ROOT_ID;
  const uint64_t hash =
      node.kind == NodeKind::kSys ? HashOf("host:" + node.path) : HashOf(node.path);
  // The upper half is of the views, and 0 and 1 are taken.
  return (hash >> 1) | 2;
}

NodeTable::NodeTable(const std::vector<bool>& is_available) : own_(is_available) {
  for (size_t index = 0; index < own_.Size(); ++index) {
    const Node node = NodeAt(index);
    nodes_.emplace(NodeIdOf(node), node);
  }
  nodes_.emplace(NodeIdOf(ViewsNode()), ViewsNode());
}

Node NodeTable::NodeAt(size_t index) const {
  const CatalogNode& node = own_.At(index);
  if (node.file) return Node{.kind = NodeKind::kFile, .file = *node.file, .path = node.path};
  if (node.path == kSysCpuDirectory) return Node{.kind = NodeKind::kSys, .file = 0, .path = ""};
  return Node{.kind = NodeKind::kDirectory, .file = 0, .path = node.path};
}

std::optional<size_t> NodeTable::IndexOf(const Node& node) const {
  if (node.kind != NodeKind::kSys) return own_.Find(node.path);
  if (node.path.empty()) return own_.Find(kSysCpuDirectory);
  return std::nullopt;
}

std::optional<Node> NodeTable::Find(uint64_t id) const {
  const std::shared_lock lock(mutex_);
  const auto found = nodes_.find(id);
  if (found == nodes_.end()) return std::nullopt;
  return found->second;
}

std::optional<Node> NodeTable::FindChild(const Node& parent, std::string_view name) const {
  for (const Node& child : Children(parent)) {
    if (NameOf(child) == name) return child;
  }
  return std::nullopt;
}

std::vector<Node> NodeTable::Children(const Node& parent) const {
  std::vector<Node> children;
  const auto index = IndexOf(parent);
  if (!index) return children;
  for (const size_t child : own_.Children(*index)) children.push_back(NodeAt(child));
  if (IsRoot(parent)) children.push_back(ViewsNode());
  return children;
}

uint64_t NodeTable::Remember(const Node& node) {
  const uint64_t id = NodeIdOf(node);
  const std::unique_lock lock(mutex_);
  nodes_.emplace(id, node);
  return id;
}

}  // namespace fuse_layer
