// SPDX-License-Identifier: Apache-2.0
// The records of core as JavaScript objects, members under their C++ names.
//
// Source: none.
// Units:  as the records.
// Errors: none; what an object does not have keeps its default.
#pragma once

#include <napi.h>

#include <optional>

#include "core/cgroup/cpu.h"
#include "core/cgroup/io.h"
#include "core/cgroup/memory.h"
#include "core/model/cpu_time.h"
#include "core/model/disk_view.h"
#include "core/model/memory_view.h"
#include "core/model/visible_cpus.h"
#include "core/proc/cpuinfo.h"
#include "core/proc/diskstats.h"
#include "core/proc/meminfo.h"
#include "core/proc/stat.h"
#include "core/proc/vmstat.h"
#include "core/render/sheet.h"

namespace testing {

Napi::Value FromMemInfo(Napi::Env env, const core::proc::MemInfo& info);
Napi::Value FromStat(Napi::Env env, const core::proc::Stat& stat);
Napi::Value FromCpuInfo(Napi::Env env, const core::proc::CpuInfo& info);
Napi::Value FromDiskLine(Napi::Env env, const core::proc::DiskLine& line);
Napi::Value FromVmStatLine(Napi::Env env, const core::proc::VmStatLine& line);

Napi::Value FromMemoryStat(Napi::Env env, const core::cgroup::MemoryStat& stat);
Napi::Value FromCpuUsage(Napi::Env env, const core::cgroup::CpuUsage& usage);
Napi::Value FromCpuUsageOfOne(Napi::Env env, const core::cgroup::CpuUsageOfOne& usage);
Napi::Value FromQuota(Napi::Env env, const std::optional<core::cgroup::CpuQuota>& quota);
Napi::Value FromIoDevice(Napi::Env env, const core::cgroup::IoDevice& device);

Napi::Value FromVisibleCpus(Napi::Env env, const core::model::VisibleCpus& cpus);
Napi::Value FromCpuTimes(Napi::Env env, const core::model::CpuTimes& times);
Napi::Value FromMemoryView(Napi::Env env, const core::model::MemoryView& view);
Napi::Value FromDiskRow(Napi::Env env, const core::model::DiskRow& row);

core::cgroup::MemoryStat ToMemoryStat(const Napi::Object& object);
core::cgroup::Memory ToMemory(const Napi::Object& object);
core::cgroup::CpuUsage ToCpuUsage(const Napi::Object& object);
std::optional<core::cgroup::CpuQuota> ToQuota(const Napi::Value& value);
core::cgroup::IoDevice ToIoDevice(const Napi::Object& object);

// From what DeriveVisibleCpus takes: {cpuset, online, quota, count, numbering}.
core::model::VisibleCpus ToVisibleCpus(const Napi::Object& object);
core::model::CpuTimes ToCpuTimes(const Napi::Object& object);
core::model::MemoryPolicy ToMemoryPolicy(const Napi::Object& object);
core::model::MemoryView ToMemoryView(const Napi::Object& object);
core::render::TaskCounts ToTaskCounts(const Napi::Object& object);

}  // namespace testing
