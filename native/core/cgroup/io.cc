// SPDX-License-Identifier: Apache-2.0
#include "core/cgroup/io.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/key_table.h"
#include "core/base/result.h"
#include "core/base/text.h"

namespace core::cgroup {
namespace {

struct Field {
  std::string_view key;
  uint64_t IoDevice::* member = nullptr;
};

constexpr std::array kFieldsV2{
    Field{"rbytes", &IoDevice::rbytes},
    Field{"wbytes", &IoDevice::wbytes},
    Field{"rios", &IoDevice::rios},
    Field{"wios", &IoDevice::wios},
    Field{"dbytes", &IoDevice::dbytes},
    Field{"dios", &IoDevice::dios},
};

constexpr std::array kServiceBytes{
    Field{"Read", &IoDevice::rbytes},
    Field{"Write", &IoDevice::wbytes},
    Field{"Discard", &IoDevice::dbytes},
};

constexpr std::array kServiced{
    Field{"Read", &IoDevice::rios},
    Field{"Write", &IoDevice::wios},
    Field{"Discard", &IoDevice::dios},
};

// "254:0"
std::optional<IoDevice> ParseDevice(std::string_view text) {
  const auto major = ParseU64(TakeUntil(text, ':'));
  const auto minor = ParseU64(text);
  constexpr uint64_t kMax = std::numeric_limits<uint32_t>::max();
  if (!major || !minor || *major > kMax || *minor > kMax) return std::nullopt;
  return IoDevice{.major = static_cast<uint32_t>(*major), .minor = static_cast<uint32_t>(*minor)};
}

// "rbytes=1", or a device anywhere in a line: kernels before 5.16 leave out the newline behind a
// device without numbers ("253:10 253:5 rbytes=0 ...").
bool ParseWordV2(std::string_view word, KeyFinder<Field>& fields, std::vector<IoDevice>& devices) {
  if (word.find('=') == std::string_view::npos) {
    const auto device = ParseDevice(word);
    if (device) devices.push_back(*device);
    return device.has_value();
  }
  const Field* const field = fields.Find(TakeUntil(word, '='));
  if (field == nullptr) return true;
  const auto value = ParseU64(word);
  if (value) devices.back().*field->member = *value;
  return value.has_value();
}

bool ParseLineV2(std::string_view line, KeyFinder<Field>& fields, std::vector<IoDevice>& devices) {
  const auto device = ParseDevice(TakeWord(line));
  if (!device) return false;
  devices.push_back(*device);
  for (std::string_view word = TakeWord(line); !word.empty(); word = TakeWord(line)) {
    if (!ParseWordV2(word, fields, devices)) return false;
  }
  return true;
}

// The text names one device in several lines that follow each other, and the second text names
// them in the order of the first, so the last hit or the one behind it is the usual answer.
class DeviceTable {
 public:
  IoDevice& Get(const IoDevice& wanted) {
    for (size_t tried = 0; tried < devices_.size(); ++tried) {
      const size_t index = (last_ + tried) % devices_.size();
      IoDevice& device = devices_[index];
      if (device.major != wanted.major || device.minor != wanted.minor) continue;
      last_ = index;
      return device;
    }
    last_ = devices_.size();
    return devices_.emplace_back(wanted);
  }
  std::vector<IoDevice> release() { return std::move(devices_); }

 private:
  std::vector<IoDevice> devices_;
  size_t last_ = 0;
};

Status ParseBlkioText(std::string_view text, std::span<const Field> table, DeviceTable& devices) {
  KeyFinder<Field> fields(table);
  for (int number = 1; !text.empty(); ++number) {
    std::string_view line = TakeLine(text);
    const std::string_view name = TakeWord(line);
    if (name == "Total") continue;
    const auto device = ParseDevice(name);
    if (!device) return ParseErrorAt(number);
    const Field* const field = fields.Find(TakeWord(line));
    if (field == nullptr) continue;
    const auto value = ParseU64(TakeWord(line));
    if (!value) return ParseErrorAt(number);
    devices.Get(*device).*field->member = *value;
  }
  return Unit{};
}

}  // namespace

Result<std::vector<IoDevice>> ParseIoStat(std::string_view text) {
  std::vector<IoDevice> devices;
  KeyFinder<Field> fields(kFieldsV2);
  for (int number = 1; !text.empty(); ++number) {
    if (!ParseLineV2(TakeLine(text), fields, devices)) return ParseErrorAt(number);
  }
  return devices;
}

Result<std::vector<IoDevice>> ParseBlkio(std::string_view service_bytes,
                                         std::string_view serviced) {
  DeviceTable devices;
  if (auto status = ParseBlkioText(service_bytes, kServiceBytes, devices); !status) {
    return status.error();
  }
  if (auto status = ParseBlkioText(serviced, kServiced, devices); !status) return status.error();
  return devices.release();
}

}  // namespace core::cgroup
