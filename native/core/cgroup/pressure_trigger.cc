// SPDX-License-Identifier: Apache-2.0
#include "core/cgroup/pressure_trigger.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "core/base/result.h"

namespace core::cgroup {
namespace {

constexpr uint64_t kWindowMinUsec = 500'000;
constexpr uint64_t kWindowMaxUsec = 10'000'000;
constexpr uint64_t kWindowStepUsec = 2'000'000;

constexpr std::string_view kBlanks = " \t\n";

std::string_view TakeWord(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  const std::string_view word = text.substr(0, text.find_first_of(kBlanks));
  text.remove_prefix(word.size());
  return word;
}

std::optional<uint64_t> TakeUsec(std::string_view& text) {
  const std::string_view word = TakeWord(text);
  uint32_t usec = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), usec);
  if (error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return usec;
}

}  // namespace

Result<std::string> NormalizeTrigger(std::string_view text) {
  const Error invalid{
      .errno_value = EINVAL, .operation = "take trigger", .path = std::string(text)};
  text = text.substr(0, text.find('\0'));
  const std::string_view kind = TakeWord(text);
  const auto stall = TakeUsec(text);
  const auto window = TakeUsec(text);
  if ((kind != "some" && kind != "full") || !stall || !window) return invalid;
  if (*window < kWindowMinUsec || *window > kWindowMaxUsec) return invalid;
  if (*stall == 0 || *stall > *window) return invalid;
  const uint64_t longer = (*window + kWindowStepUsec - 1) / kWindowStepUsec * kWindowStepUsec;
  return std::string(kind) + " " + std::to_string(*stall * longer / *window) + " " +
         std::to_string(longer);
}

}  // namespace core::cgroup
