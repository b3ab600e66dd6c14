// SPDX-License-Identifier: Apache-2.0
// The catalog's files and the directories that lead to them.
//
// Source: the catalog.
// Units:  none.
// Errors: none; a path that is not in the tree has no node.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fuse_layer {

struct CatalogNode {
  std::string path;            // from the root, which is ""
  std::optional<size_t> file;  // the index in the catalog; nullopt: a directory
};

// Never changes. A node is named by its index.
class CatalogTree {
 public:
  static constexpr size_t kRoot = 0;

  // `has_file` says which of the catalog's files there are.
  explicit CatalogTree(const std::vector<bool>& has_file);

  [[nodiscard]] size_t Size() const { return nodes_.size(); }
  [[nodiscard]] const CatalogNode& At(size_t node) const { return nodes_[node]; }
  [[nodiscard]] std::optional<size_t> Find(std::string_view path) const;
  [[nodiscard]] std::optional<size_t> FindChild(size_t directory, std::string_view name) const;
  [[nodiscard]] std::vector<size_t> Children(size_t directory) const;

 private:
  void AddDirectories(std::string_view path);

  std::vector<CatalogNode> nodes_;  // parents before their children
};

// The last part of a path.
std::string_view BaseNameOf(std::string_view path);

// FNV-1a, 64 bits: what nodeids are made of.
uint64_t HashOf(std::string_view text);

}  // namespace fuse_layer
