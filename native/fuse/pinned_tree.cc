// SPDX-License-Identifier: Apache-2.0
#include "fuse/pinned_tree.h"

#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

#include <fuse_lowlevel.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/catalog/catalog.h"
#include "core/cgroup/cgroup_id.h"
#include "core/engine/engine.h"
#include "core/engine/quarantine.h"
#include "core/engine/sheet_maker.h"
#include "core/engine/view.h"
#include "fuse/entry.h"
#include "fuse/view_nodes.h"

namespace fuse_layer {
namespace {

using core::Error;
using core::Nanoseconds;
using core::Result;
using core::Status;
using core::Unit;
using core::engine::IsInQuarantine;
using core::engine::Page;
using core::engine::Scratch;

// The last bytes of a removed cgroup will not change.
constexpr double kGoneSeconds = 1;
// It never changes, so the kernel need not ask.
constexpr double kWakeSeconds = 1e6;
// In what steps a file grows that has outgrown its size after all (CPUs that were added).
constexpr size_t kGrowthBytes = 1024;

Error NotFound(std::string_view path) {
  return Error{.errno_value = ENOENT, .operation = "lookup", .path = std::string(path)};
}

std::vector<bool> PageFiles(const core::engine::Engine& engine) {
  std::vector<bool> pages(core::catalog::Files().size());
  for (size_t file = 0; file < pages.size(); ++file) pages[file] = engine.PageSize(file) != 0;
  return pages;
}

timespec ToTimespec(Nanoseconds time) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
  return {.tv_sec = seconds.count(), .tv_nsec = (time - seconds).count()};
}

}  // namespace

PinnedTree::PinnedTree(core::engine::Engine& engine)
    : engine_(engine), nodes_(engine, PageFiles(engine), 0) {
  (void)clock_gettime(CLOCK_REALTIME, &mounted_at_);
}

Result<ViewNode> PinnedTree::FindNode(uint64_t id) const {
  const auto node = nodes_.Find(id);
  if (!node) return Error{.errno_value = ESTALE, .operation = "find node", .path = ""};
  return *node;
}

Result<PinnedTree::File> PinnedTree::FindFile(const ViewNode& node, Scratch& scratch) {
  const auto file = nodes_.FileOf(node);
  if (!file) return Error{.errno_value = EISDIR, .operation = "read", .path = ""};
  const auto view = nodes_.ViewOf(node, scratch);
  if (!view) return view.error();
  return File{.file = *file, .view = *view};
}

size_t PinnedTree::SizeOf(size_t file, const Page& page) const {
  const size_t length = page.text->bytes.size();
  const size_t size = engine_.PageSize(file);
  if (length <= size) return size;
  return (length + kGrowthBytes - 1) / kGrowthBytes * kGrowthBytes;
}

Attributes PinnedTree::DirectoryAttributes(uint64_t id) const {
  Attributes attributes;
  attributes.stat.st_ino = id;
  // What is in the root is every container's.
  attributes.stat.st_mode = S_IFDIR | (id == FUSE_ROOT_ID ? 0700 : 0555);
  attributes.stat.st_nlink = 2;
  attributes.stat.st_atim = attributes.stat.st_mtim = attributes.stat.st_ctim = mounted_at_;
  return attributes;
}

Attributes PinnedTree::LinkAttributes(core::cgroup::CgroupId cgroup) const {
  Attributes attributes = DirectoryAttributes(nodes_.LinkIdOf(cgroup));
  attributes.stat.st_mode = S_IFLNK | 0777;
  attributes.stat.st_nlink = 1;
  attributes.stat.st_size = static_cast<off_t>(core::cgroup::NameOfId(cgroup).size());
  return attributes;
}

Attributes PinnedTree::WakeAttributes() const {
  Attributes attributes = DirectoryAttributes(kWakeId);
  attributes.stat.st_mode = S_IFREG;
  attributes.stat.st_nlink = 1;
  attributes.valid_seconds = kWakeSeconds;
  return attributes;
}

Attributes PinnedTree::UnknownAttributes(uint64_t id, size_t file) const {
  Attributes attributes;
  attributes.stat.st_ino = id;
  attributes.stat.st_mode = S_IFREG | core::catalog::Files()[file].mode;
  attributes.stat.st_nlink = 1;
  attributes.stat.st_size = static_cast<off_t>(engine_.PageSize(file));
  attributes.valid_seconds = 0;
  return attributes;
}

Attributes PinnedTree::PageAttributes(const ViewNode& node, size_t file, const Page& page) const {
  Attributes attributes = UnknownAttributes(nodes_.IdOf(node), file);
  attributes.stat.st_size = static_cast<off_t>(SizeOf(file, page));
  attributes.stat.st_atim = attributes.stat.st_mtim = attributes.stat.st_ctim =
      ToTimespec(page.modified_at);
  return attributes;
}

Result<Attributes> PinnedTree::FileAttributes(const ViewNode& node, Scratch& scratch) {
  const auto file = nodes_.FileOf(node);
  const auto found = FindFile(node, scratch);
  if (file && IsInQuarantine(found)) {
    const auto page = engine_.FallbackPage(*file, found.error(), scratch);
    if (!page) return page.error();
    return PageAttributes(node, *file, *page);
  }
  if (!found) return found.error();
  const auto page = engine_.ReadPage(found->file, found->view, scratch);
  if (!page) return ReaderError(*found->view, page.error());
  Attributes attributes = PageAttributes(node, found->file, *page);
  // What is left of the bytes' time: the page cache gives them no longer than `freshness`.
  const Nanoseconds freshness = engine_.PolicyOf(*found->view)->freshness;
  const Nanoseconds good_until = page->text->made_at + freshness;
  const Nanoseconds left = std::max(Nanoseconds{}, good_until - core::NowMonotonic());
  attributes.valid_seconds = std::chrono::duration<double>(left).count();
  if (!found->view->IsAlive(freshness)) attributes.valid_seconds = kGoneSeconds;
  return attributes;
}

Result<Entry> PinnedTree::Lookup(uint64_t parent, std::string_view name, Scratch& scratch) {
  if (parent == FUSE_ROOT_ID && name == kWakeFile) {
    return Entry{.id = kWakeId, .attributes = WakeAttributes(), .name_valid_seconds = kWakeSeconds};
  }
  if (parent == FUSE_ROOT_ID) return LookupView(name, scratch);
  const auto directory = FindNode(parent);
  if (!directory) return directory.error();
  const auto child = nodes_.LookupChild(*directory, name);
  if (!child) return NotFound(name);
  const uint64_t id = nodes_.IdOf(*child);
  const auto file = nodes_.FileOf(*child);
  // The kernel holds a lock of the directory while it waits for this answer, so a file's attributes
  // are left to be asked for: making them may take long.
  return Entry{.id = id,
               .attributes = file ? UnknownAttributes(id, *file) : DirectoryAttributes(id)};
}

Result<Entry> PinnedTree::LookupView(std::string_view name, Scratch& scratch) {
  if (core::cgroup::IsNameOfId(name)) {
    const auto view = nodes_.LookupId(name, scratch);
    if (!view) return view.error();
    const uint64_t id = nodes_.IdOf(*view);
    return Entry{.id = id,
                 .attributes = DirectoryAttributes(id),
                 .name_valid_seconds = ViewNodes::kIdSeconds};
  }
  // A link, as a directory can have one name only: under two the kernel would move it to and fro.
  const auto view = nodes_.Lookup(name, scratch);
  if (!view) return view.error();
  return Entry{.id = nodes_.LinkIdOf(view->cgroup),
               .attributes = LinkAttributes(view->cgroup),
               .name_valid_seconds = ViewNodes::kNameSeconds};
}

Result<std::string> PinnedTree::ReadLink(uint64_t id) const {
  const auto cgroup = nodes_.FindLink(id);
  if (!cgroup) return Error{.errno_value = EINVAL, .operation = "readlink", .path = ""};
  return core::cgroup::NameOfId(*cgroup);
}

Result<Attributes> PinnedTree::GetAttributes(uint64_t id, Scratch& scratch) {
  if (id == FUSE_ROOT_ID) return DirectoryAttributes(id);
  if (id == kWakeId) return WakeAttributes();
  if (const auto link = nodes_.FindLink(id)) return LinkAttributes(*link);
  const auto node = FindNode(id);
  if (!node) return node.error();
  if (nodes_.IsDirectory(*node)) return DirectoryAttributes(id);
  return FileAttributes(*node, scratch);
}

Status PinnedTree::Read(uint64_t id, Scratch& scratch, std::string& into) {
  into.clear();
  if (id == kWakeId) return Unit{};
  const auto node = FindNode(id);
  if (!node) return node.error();
  const auto file = nodes_.FileOf(*node);
  const auto found = FindFile(*node, scratch);
  if (file && IsInQuarantine(found)) {
    const auto page = engine_.FallbackPage(*file, found.error(), scratch);
    if (!page) return page.error();
    Pad(*file, *page, into);
    return Unit{};
  }
  if (!found) return found.error();
  const auto page = engine_.LastPage(found->file, found->view, scratch);
  if (!page) return ReaderError(*found->view, page.error());
  Pad(found->file, *page, into);
  return Unit{};
}

// To the size that GetAttributes() has told the kernel.
void PinnedTree::Pad(size_t file, const Page& page, std::string& into) const {
  const char padding = core::catalog::Files()[file].padding;
  into.assign(page.text->bytes);
  if (padding != '\n' && !into.empty()) into.pop_back();
  into.resize(SizeOf(file, page), padding);
  into.back() = '\n';
}

Result<std::vector<DirectoryEntry>> PinnedTree::List(uint64_t id) {
  if (id == FUSE_ROOT_ID) return nodes_.ListViews(id, S_IFLNK);
  const auto node = FindNode(id);
  if (!node) return node.error();
  return nodes_.List(*node);
}

}  // namespace fuse_layer
