// SPDX-License-Identifier: Apache-2.0
// Pressure files, and where triggers on them are to be written.
#include "core/engine/pressure.h"

#include <fcntl.h>

#include <cerrno>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "core/base/fd.h"
#include "core/base/read_file.h"
#include "core/base/result.h"
#include "core/catalog/catalog.h"
#include "core/cgroup/cgroup_dir.h"
#include "core/engine/engine.h"
#include "core/engine/view.h"

namespace core::engine {

std::optional<cgroup::CgroupFile> PressureFileOf(catalog::Needs needs) {
  using catalog::Need;
  if (needs.Has(Need::kPressureCpu)) return cgroup::CgroupFile::kPressureCpu;
  if (needs.Has(Need::kPressureMemory)) return cgroup::CgroupFile::kPressureMemory;
  if (needs.Has(Need::kPressureIo)) return cgroup::CgroupFile::kPressureIo;
  return std::nullopt;
}

bool Engine::TakesTriggers(size_t file) const {
  return options_.pressure_triggers && PressureFileOf(catalog::Files()[file].needs).has_value();
}

Result<Fd> Engine::OpenPressure(size_t file, const View& view) const {
  const auto& entry = catalog::Files()[file];
  const auto shown = PressureFileOf(entry.needs);
  if (!shown) {
    return Error{.errno_value = EINVAL, .operation = "watch", .path = std::string(entry.path)};
  }
  auto own = view.cgroup.OpenPressure(*shown);
  if (!own) return own.error();
  if (*own) return std::move(**own);
  const std::string below(entry.path.substr(entry.path.find('/')));
  return OpenAt(AT_FDCWD, (options_.proc_root + below).c_str(), O_RDWR);
}

}  // namespace core::engine
