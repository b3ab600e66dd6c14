// SPDX-License-Identifier: Apache-2.0
// The nodes of the shared tree that are the same for all views.
//
// Source: none.
// Units:  none.
// Errors: none; an id that no file has gives nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "fuse/catalog_tree.h"

namespace fuse_layer {

enum class NodeKind : uint8_t {
  kDirectory,  // of the tree's own: "", "proc", "sys/devices"
  kFile,       // of the catalog
  kSys,        // of the host, below sys/devices/system/cpu
  kViews,      // the directory of views
};

struct Node {
  NodeKind kind = NodeKind::kDirectory;
  size_t file = 0;   // kFile: the index in the catalog
  std::string path;  // from the tree's root; kSys: as SysTree has it
};

// The directory that is the host's, with the catalog's files over it.
inline constexpr std::string_view kSysCpuDirectory = "sys/devices/system/cpu";
inline constexpr std::string_view kViewsDirectory = "views";

// A nodeid is a pure function of the path, so that a new process knows its predecessor's: the
// kernel never forgets one while it is in use. The highest bit is 0.
uint64_t NodeIdOf(const Node& node);

class NodeTable {
 public:
  // `is_available` says which of the catalog's files there are.
  explicit NodeTable(const std::vector<bool>& is_available);

  [[nodiscard]] std::optional<Node> Find(uint64_t id) const;
  // The node called `name` in the directory `parent` of the tree's own; nullopt when there is none.
  [[nodiscard]] std::optional<Node> FindChild(const Node& parent, std::string_view name) const;
  // Every child of a directory of the tree's own.
  [[nodiscard]] std::vector<Node> Children(const Node& parent) const;
  // Makes a kSys node known. Their number is bounded by the host's sysfs.
  uint64_t Remember(const Node& node);

 private:
  [[nodiscard]] Node NodeAt(size_t index) const;
  [[nodiscard]] std::optional<size_t> IndexOf(const Node& node) const;

  CatalogTree own_;
  mutable std::shared_mutex mutex_;  // guards nodes_
  std::unordered_map<uint64_t, Node> nodes_;
};

// The name of a node in its directory.
std::string_view NameOf(const Node& node);

}  // namespace fuse_layer
