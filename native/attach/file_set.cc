// SPDX-License-Identifier: Apache-2.0
#include "attach/file_set.h"

#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/base/text.h"

namespace attach {
namespace {

constexpr std::string_view kProc = "proc/";
constexpr std::string_view kPressure = "proc/pressure/";

bool Means(std::string_view word, const Item& item) {
  if (word == "all" || word == item.group) return true;
  if (word == "pressure") return item.path.starts_with(kPressure);
  if (word.starts_with('/')) word.remove_prefix(1);
  if (word == item.path) return true;
  return item.path.starts_with(kProc) && item.path.substr(kProc.size()) == word;
}

bool MeansNothing(std::string_view word) {
  return word.empty() || word == "off" || word == "none";
}

}  // namespace

core::Result<FileSet> ParseFileSet(std::string_view text) {
  FileSet set;
  while (!text.empty()) {
    const std::string_view word = core::Trim(core::TakeUntil(text, ','));
    FileSet named;
    for (size_t index = 0; index < kItems.size(); ++index) {
      if (Means(word, kItems[index])) named.set(index);
    }
    if (named.none() && !MeansNothing(word)) {
      return core::Error{
          .errno_value = EINVAL, .operation = "choose files", .path = std::string(word)};
    }
    set |= named;
  }
  return set;
}

}  // namespace attach
