// SPDX-License-Identifier: Apache-2.0
#include "hook/replace_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>
#include <string_view>

#include "core/base/fd.h"
#include "core/base/result.h"

namespace hook {
namespace {

using core::Fd;
using core::Status;
using core::SystemError;
using core::Unit;

Status Fill(const Fd& file,
            const struct stat& old,
            const std::string& path,
            std::string_view text) {
  if (fchown(file.get(), old.st_uid, old.st_gid) != 0) return SystemError("change owner of", path);
  if (fchmod(file.get(), old.st_mode & 07777) != 0) return SystemError("change mode of", path);
  while (!text.empty()) {
    const ssize_t count = write(file.get(), text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError("write", path);
    text.remove_prefix(static_cast<size_t>(count));
  }
  return Unit{};
}

}  // namespace

Status ReplaceFile(const std::string& path, std::string_view text) {
  struct stat old{};
  if (stat(path.c_str(), &old) != 0) return SystemError("stat", path);
  const std::string fresh = path + ".lensfs-" + std::to_string(getpid());
  constexpr int kMode = 0600;
  const Fd file(open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, kMode));
  if (!file.valid()) return SystemError("create", fresh);
  Status status = Fill(file, old, fresh, text);
  if (status && rename(fresh.c_str(), path.c_str()) != 0) status = SystemError("rename", fresh);
  if (!status) (void)unlink(fresh.c_str());
  return status;
}

}  // namespace hook
