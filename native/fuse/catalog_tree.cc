// SPDX-License-Identifier: Apache-2.0
#include "fuse/catalog_tree.h"

#include <cstddef>
#include <cstdint>
#include <optional>
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

uint64_t HashOf(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  return hash;
}

CatalogTree::CatalogTree(const std::vector<bool>& has_file) {
  nodes_.push_back(CatalogNode{});
  const auto files = core::catalog::Files();
  for (size_t file = 0; file < files.size(); ++file) {
    if (!has_file[file]) continue;
    AddDirectories(DirectoryOf(files[file].path));
    nodes_.push_back(CatalogNode{.path = std::string(files[file].path), .file = file});
  }
}

void CatalogTree::AddDirectories(std::string_view path) {
  if (Find(path)) return;
  AddDirectories(DirectoryOf(path));
  nodes_.push_back(CatalogNode{.path = std::string(path), .file = std::nullopt});
}

std::optional<size_t> CatalogTree::Find(std::string_view path) const {
  for (size_t node = 0; node < nodes_.size(); ++node) {
    if (nodes_[node].path == path) return node;
  }
  return std::nullopt;
}

std::optional<size_t> CatalogTree::FindChild(size_t directory, std::string_view name) const {
  for (const size_t child : Children(directory)) {
    if (BaseNameOf(nodes_[child].path) == name) return child;
  }
  return std::nullopt;
}

std::vector<size_t> CatalogTree::Children(size_t directory) const {
  std::vector<size_t> children;
  for (size_t node = kRoot + 1; node < nodes_.size(); ++node) {
    if (DirectoryOf(nodes_[node].path) == nodes_[directory].path) children.push_back(node);
  }
  return children;
}

}  // namespace fuse_layer
