// SPDX-License-Identifier: Apache-2.0
// nodeids of the shared tree.
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

namespace fuse_layer {

enum class NodeKind : uint8_t {
  kDirectory,  // of the tree's own: "", "proc", "sys/devices"
  kFile,       // of the catalog
  kSys,        // of the host, below sys/devices/system/cpu
};

struct Node {
  NodeKind kind = NodeKind::kDirectory;
  size_t file = 0;   // kFile: the index in the catalog
  std::string path;  // kDirectory, kFile: from the tree's root; kSys: as SysTree has it
};

// The directory that is the host's, with the catalog's files over it.
inline constexpr std::string_view kSysCpuDirectory = "sys/devices/system/cpu";

// A nodeid is a pure function of the path, so that a new process knows its predecessor's: the
// kernel never forgets one while it is in use.
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
  // The tree's own nodes and the root of the host's; never changes.
  std::vector<Node> own_;
  mutable std::shared_mutex mutex_;  // guards nodes_
  std::unordered_map<uint64_t, Node> nodes_;
};

// The last part of a path.
std::string_view BaseNameOf(std::string_view path);

}  // namespace fuse_layer
