// SPDX-License-Identifier: Apache-2.0
#include "addon/preset.h"

#include <sys/types.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "addon/options.h"
#include "core/base/clock.h"
#include "core/engine/options.h"
#include "core/engine/policy_rules.h"

namespace addon {
namespace {

using core::engine::FileSet;
using core::engine::PolicyRule;

// Another number for another order or meaning of what Visit() lists.
constexpr std::string_view kFormat = "lensfs preset 2";

// src/daemon/saved-config.ts has the layout.
constexpr off_t kFirstSlot = 4096;
constexpr off_t kSlotBytes = off_t{4} * 1024 * 1024;

template <typename T>
constexpr bool kIsPlain = std::is_arithmetic_v<T> || std::is_enum_v<T>;

class Packer {
 public:
  template <typename T>
  void operator()(T& value) {
    if constexpr (kIsPlain<T>) {
      bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    } else {
      Pack(value);
    }
  }
  [[nodiscard]] std::string Take() { return std::move(bytes_); }

 private:
  void Pack(const std::string& text) {
    uint64_t size = text.size();
    (*this)(size);
    bytes_.append(text);
  }
  void Pack(const core::Nanoseconds& time) {
    int64_t count = time.count();
    (*this)(count);
  }
  void Pack(const FileSet& files) {
    uint64_t bits = files.to_ullong();
    (*this)(bits);
  }
  template <typename T>
  void Pack(std::optional<T>& value) {
    bool is_set = value.has_value();
    (*this)(is_set);
    if (is_set) (*this)(*value);
  }

  std::string bytes_;
};

// After the first wrong byte everything else is left as it is.
class Unpacker {
 public:
  explicit Unpacker(std::string_view bytes) : bytes_(bytes) {}

  template <typename T>
  void operator()(T& value) {
    if constexpr (kIsPlain<T>) {
      const std::string_view bytes = Take(sizeof value);
      if (is_good_) std::memcpy(&value, bytes.data(), sizeof value);
    } else {
      Unpack(value);
    }
  }
  [[nodiscard]] bool IsGood() const { return is_good_ && bytes_.empty(); }

 private:
  std::string_view Take(uint64_t size) {
    is_good_ = is_good_ && size <= bytes_.size();
    if (!is_good_) return {};
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }
  void Unpack(std::string& text) {
    uint64_t size = 0;
    (*this)(size);
    text = Take(size);
  }
  void Unpack(core::Nanoseconds& time) {
    int64_t count = 0;
    (*this)(count);
    time = core::Nanoseconds(count);
  }
  void Unpack(FileSet& files) {
    uint64_t bits = 0;
    (*this)(bits);
    files = FileSet(bits);
  }
  template <typename T>
  void Unpack(std::optional<T>& value) {
    bool is_set = false;
    (*this)(is_set);
    if (is_set) (*this)(value.emplace());
  }

  std::string_view bytes_;
  bool is_good_ = true;
};

template <typename Archive>
void VisitRule(Archive& archive, PolicyRule& rule) {
  archive(rule.cgroup);
  archive(rule.container_id);
  archive(rule.freshness);
  archive(rule.cpu_count);
  archive(rule.cpu_numbering);
  archive(rule.swap);
  archive(rule.files);
}

// One order for both directions.
template <typename Archive>
void Visit(Archive& archive, std::string& format, Preset& preset) {
  archive(format);
  archive(preset.version);
  archive(preset.run_dir);
  archive(preset.tree);
  archive(preset.shared);
  auto& engine = preset.session.engine;
  archive(engine.proc_root);
  archive(engine.cgroup_root);
  archive(engine.sys_root);
  archive(engine.views_max);
  archive(engine.pressure_triggers);
  auto& policy = preset.session.policy;
  archive(policy.freshness);
  archive(policy.cpu.count);
  archive(policy.cpu.numbering);
  archive(policy.swap);
  archive(policy.loadavg);
  archive(policy.files);
  archive(policy.on_failure);
  archive(preset.session.handles_max);
  archive(preset.session.readers);
  archive(preset.session.wants_rings);
}

uint32_t ReadWord(int fd, off_t offset) {
  uint32_t word = 0;
  return pread(fd, &word, sizeof word, offset) == sizeof word ? word : 0;
}

}  // namespace

std::string PackPreset(Preset preset) {
  Packer packer;
  std::string format(kFormat);
  Visit(packer, format, preset);
  for (PolicyRule& rule : preset.rules) {
    bool has_more = true;
    packer(has_more);
    VisitRule(packer, rule);
  }
  bool has_more = false;
  packer(has_more);
  return packer.Take();
}

std::optional<Preset> UnpackPreset(std::string_view bytes) {
  Unpacker unpacker(bytes);
  std::string format;
  Preset preset;
  Visit(unpacker, format, preset);
  if (format != kFormat) return std::nullopt;
  for (;;) {
    bool has_more = false;
    unpacker(has_more);
    if (!has_more) break;
    VisitRule(unpacker, preset.rules.emplace_back());
  }
  if (!unpacker.IsGood()) return std::nullopt;
  return preset;
}

std::optional<Preset> ReadPreset(int fd) {
  const off_t slot = kFirstSlot + static_cast<off_t>(ReadWord(fd, 0)) * kSlotBytes;
  const off_t text_end = slot + static_cast<off_t>(sizeof(uint32_t)) + ReadWord(fd, slot);
  const uint32_t size = ReadWord(fd, text_end);
  if (size == 0 || size > kSlotBytes) return std::nullopt;
  std::string bytes(size, '\0');
  const ssize_t length =
      pread(fd, bytes.data(), size, text_end + static_cast<off_t>(sizeof(uint32_t)));
  if (length != static_cast<ssize_t>(size)) return std::nullopt;
  return UnpackPreset(bytes);
}

}  // namespace addon
