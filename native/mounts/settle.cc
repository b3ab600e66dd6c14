// SPDX-License-Identifier: Apache-2.0
#include "mounts/settle.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/base/fd.h"
#include "core/base/result.h"
#include "mounts/connection_mount.h"
#include "mounts/followers.h"
#include "mounts/layer.h"
#include "mounts/mount_table.h"
#include "mounts/stable_tree.h"

namespace mounts {
namespace {

using core::Fd;
using core::Status;
using core::Unit;

constexpr std::string_view kConnectionType = "fuse.lensfs";

// The layers of one file, lowest first.
class Stack {
 public:
  Stack(std::string path,
        const std::vector<Mount>& table,
        const std::unordered_set<uint64_t>& followed)
      : path_(std::move(path)), layers_(FindStack(table, path_)), followed_(followed) {}

  Status Show(const Fd& layer, const Shown& wanted, bool is_connection) {
    const auto shown = ShownAt(path_);
    if (shown && *shown == wanted) return Unit{};
    if (is_connection) RemoveDead(wanted);
    if (Uncover(wanted)) return Unit{};
    if (CanLoseTop() && PutBeneathTop(layer, path_)) return RemoveTop();
    return PutOnTop(layer, path_);
  }

 private:
  // The lowest one is there for whoever follows no other.
  [[nodiscard]] bool CanLoseTop() const {
    return layers_.size() >= 2 && !followed_.contains(layers_.back()->shared);
  }

  Status RemoveTop() {
    Status removed = Unmount(path_);
    if (removed) layers_.pop_back();
    return removed;
  }

  [[nodiscard]] bool IsOther(const Mount& layer, const Shown& wanted) const {
    return layer.type == kConnectionType && layer.device != wanted.device;
  }

  // While a connection is wanted, all others are dead: readers cannot tell one from another.
  void RemoveDead(const Shown& wanted) {
    while (CanLoseTop() && IsOther(*layers_.back(), wanted) &&
           IsOther(*layers_[layers_.size() - 2], wanted)) {
      if (!RemoveTop()) return;
    }
  }

  // Whether what is beneath the top was the wanted one, and is on top now.
  bool Uncover(const Shown& wanted) {
    if (!CanLoseTop() || layers_[layers_.size() - 2]->device != wanted.device) return false;
    if (!RemoveTop()) return false;
    const auto shown = ShownAt(path_);
    return shown && *shown == wanted;
  }

  const std::string path_;
  std::vector<const Mount*> layers_;
  const std::unordered_set<uint64_t>& followed_;
};

LayerGroups GroupsOf(const std::vector<Mount>& table,
                     const std::string& tree,
                     const std::vector<std::string>& leaves) {
  LayerGroups groups;
  for (const std::string& leaf : leaves) {
    const auto stack = FindStack(table, LeafPath(tree, leaf));
    for (size_t index = 1; index < stack.size(); ++index) {
      groups[stack[index]->shared] = stack[index - 1]->shared;
    }
  }
  return groups;
}

bool IsConnection(const std::vector<Mount>& table, const std::string& device) {
  return std::ranges::any_of(table, [&](const Mount& mount) {
    return mount.type == kConnectionType && mount.device == device;
  });
}

Status SettleLeaf(const std::vector<Mount>& table,
                  const std::unordered_set<uint64_t>& followed,
                  const LayerSource& source,
                  const std::string& tree,
                  const std::string& leaf) {
  const auto layer = MakeLayer(source.PathOf(leaf), source.AccessTo(leaf));
  // What a source lacks is left as it is.
  if (!layer) return layer.error().errno_value == ENOENT ? Status(Unit{}) : layer.error();
  const auto wanted = ShownBy(*layer);
  if (!wanted) return wanted.error();
  return Stack(LeafPath(tree, leaf), table, followed)
      .Show(*layer, *wanted, IsConnection(table, wanted->device));
}

}  // namespace

Status SettleLayer(const std::string& tree, const LayerSource& source) {
  const auto leaves = ListLeaves(tree);
  if (!leaves) return leaves.error();
  const auto table = ReadMountTable();
  if (!table) return table.error();
  const auto followed = FindFollowed(GroupsOf(*table, tree, *leaves));
  if (!followed) return followed.error();
  Status result = Unit{};
  for (const std::string& leaf : *leaves) {
    // One that fails keeps its layer; the others are better off with theirs.
    Status settled = SettleLeaf(*table, *followed, source, tree, leaf);
    if (!settled) result = std::move(settled);
  }
  return result;
}

}  // namespace mounts
