// SPDX-License-Identifier: Apache-2.0
// What the page cache has of a view's files.
#include <algorithm>
#include <cstddef>
#include <mutex>
#include <utility>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/engine/engine.h"
#include "core/engine/fallbacks.h"
#include "core/engine/sheet_maker.h"
#include "core/engine/snapshot_slots.h"
#include "core/engine/view.h"
#include "core/proc/time_namespace.h"

namespace core::engine {

// Its readers are the first process and those that it has started.
Result<Page> Engine::ReadPage(size_t file, const ViewRef& view, Scratch& scratch) {
  const auto text =
      ReadInTime(file, view, view->init.pid, &proc::TimeNamespaces::OffsetOfChildren, scratch);
  const std::lock_guard lock(view->pages_mutex);
  Page& page = view->pages[file];
  if (!text) {
    if (page.text == nullptr) return text.error();
    fallbacks_.Add(file, CauseOf(text.error()), text.error());
    return page;
  }
  // Another thread may have been here with later bytes.
  if (page.text != nullptr && (*text)->made_at < page.text->made_at) return page;
  if (page.text == nullptr || page.text->bytes != (*text)->bytes) {
    page.modified_at = std::max(NowRealtime(), page.modified_at + Nanoseconds(1));
  }
  page.text = *text;
  return page;
}

Result<Page> Engine::FallbackPage(size_t file, const Error& error, Scratch& scratch) {
  auto snapshot = ReadFallback(file, error, scratch);
  if (!snapshot) return snapshot.error();
  return Page{.text = std::move(*snapshot), .modified_at = NowRealtime()};
}

Result<Page> Engine::LastPage(size_t file, const ViewRef& view, Scratch& scratch) {
  {
    const std::lock_guard lock(view->pages_mutex);
    const Page& page = view->pages[file];
    if (page.text != nullptr) return page;
  }
  return ReadPage(file, view, scratch);
}

}  // namespace core::engine
