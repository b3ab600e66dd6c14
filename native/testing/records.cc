// SPDX-License-Identifier: Apache-2.0
#include "testing/records.h"

#include <napi.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/cgroup/cpu.h"
#include "core/cgroup/io.h"
#include "core/cgroup/memory.h"
#include "core/cgroup/memory_level.h"
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
#include "testing/convert.h"
#include "testing/members.h"

namespace testing {
namespace {

using core::cgroup::CpuQuota;
using core::cgroup::CpuUsage;
using core::cgroup::CpuUsageOfOne;
using core::cgroup::HugeTlb;
using core::cgroup::IoDevice;
using core::cgroup::Memory;
using core::cgroup::MemoryStat;
using core::model::CpuTime;
using core::model::CpuTimes;
using core::model::DiskRow;
using core::model::HugePages;
using core::model::MemoryView;
using core::proc::CpuInfoBlock;
using core::proc::DiskLine;
using core::proc::Stat;
using core::render::TaskCounts;

template <typename Record, typename Table>
Napi::Object FromTable(Napi::Env env, const Record& record, const Table& table) {
  return FromRecord(env, record, std::span<const Member<Record>>(table));
}

template <typename Record, typename Table>
Record ToTable(const Napi::Object& object, const Table& table) {
  Record record;
  ToRecord(object, std::span<const Member<Record>>(table), record);
  return record;
}

template <typename Device>
void SetNumbers(Napi::Env env, const Device& device, const Napi::Object& object) {
  Set(object, "major", Napi::Number::New(env, device.major));
  Set(object, "minor", Napi::Number::New(env, device.minor));
}

// A device with a name: a line of the host or a row of a view.
template <typename Disk, typename Table>
Napi::Value FromDisk(Napi::Env env, const Disk& disk, const Table& table) {
  const Napi::Object object = FromTable(env, disk, table);
  SetNumbers(env, disk, object);
  Set(object, "name", FromText(env, disk.name));
  Set(object, "value_count", Napi::Number::New(env, disk.value_count));
  return object;
}

uint32_t ToU32(const Napi::Object& object, const char* name) {
  return static_cast<uint32_t>(ToU64(Get(object, name)).value_or(0));
}

Napi::Value FromBlock(Napi::Env env, const CpuInfoBlock& block) {
  const Napi::Object object = Napi::Object::New(env);
  Set(object, "cpu", Napi::Number::New(env, block.cpu));
  Set(object, "text", FromText(env, block.text));
  Set(object, "physical_id", FromText(env, block.physical_id));
  Set(object, "core_id", FromText(env, block.core_id));
  Set(object, "siblings", FromText(env, block.siblings));
  Set(object, "cpu_cores", FromText(env, block.cpu_cores));
  return object;
}

}  // namespace

Napi::Value FromMemInfo(Napi::Env env, const core::proc::MemInfo& info) {
  Napi::Array array = Napi::Array::New(env);
  uint32_t index = 0;
  for (const core::proc::MemInfoLine& line : info.Lines()) {
    const Napi::Object object = Napi::Object::New(env);
    Set(object, "label", FromText(env, line.label));
    Set(object, "value", FromU64(env, line.value));
    Set(object, "has_unit", Napi::Boolean::New(env, line.has_unit));
    array.Set(index++, object).UnwrapOr(false);
  }
  return array;
}

Napi::Value FromStat(Napi::Env env, const Stat& stat) {
  const Napi::Object object = FromTable(env, stat, kStat);
  const Napi::Array softirqs = Napi::Array::New(env);
  for (const uint64_t count : stat.Softirqs()) {
    softirqs.Set(softirqs.Length(), FromU64(env, count)).UnwrapOr(false);
  }
  Set(object, "softirqs", softirqs);
  return object;
}

Napi::Value FromCpuInfo(Napi::Env env, const core::proc::CpuInfo& info) {
  const Napi::Object object = Napi::Object::New(env);
  Set(object, "head", FromText(env, info.head));
  Set(object, "blocks", FromVector(env, info.blocks, FromBlock));
  Set(object, "sections", FromVector(env, info.sections, FromBlock));
  Set(object, "tail", FromText(env, info.tail));
  Set(object, "is_s390", Napi::Boolean::New(env, info.is_s390));
  return object;
}

Napi::Value FromDiskLine(Napi::Env env, const DiskLine& line) {
  return FromDisk(env, line, kDiskLine);
}

Napi::Value FromVmStatLine(Napi::Env env, const core::proc::VmStatLine& line) {
  const Napi::Object object = Napi::Object::New(env);
  Set(object, "key", FromText(env, line.key));
  Set(object, "value", FromU64(env, line.value));
  return object;
}

Napi::Value FromMemoryStat(Napi::Env env, const MemoryStat& stat) {
  const Napi::Object object = FromTable(env, stat, kMemoryStat);
  Set(object, "hierarchical_memory_limit", FromOptional(env, stat.hierarchical_memory_limit));
  Set(object, "hierarchical_memsw_limit", FromOptional(env, stat.hierarchical_memsw_limit));
  return object;
}

Napi::Value FromCpuUsage(Napi::Env env, const CpuUsage& usage) {
  return FromTable(env, usage, kCpuUsage);
}

Napi::Value FromCpuUsageOfOne(Napi::Env env, const CpuUsageOfOne& usage) {
  const Napi::Object object = FromTable(env, usage, kCpuUsageOfOne);
  Set(object, "cpu", Napi::Number::New(env, usage.cpu));
  return object;
}

Napi::Value FromQuota(Napi::Env env, const std::optional<CpuQuota>& quota) {
  if (!quota) return env.Null();
  return FromTable(env, *quota, kCpuQuota);
}

Napi::Value FromIoDevice(Napi::Env env, const IoDevice& device) {
  const Napi::Object object = FromTable(env, device, kIoDevice);
  SetNumbers(env, device, object);
  return object;
}

Napi::Value FromVisibleCpus(Napi::Env env, const core::model::VisibleCpus& cpus) {
  const Napi::Object object = Napi::Object::New(env);
  Set(object, "physical", FromCpuSet(env, cpus.physical));
  Set(object, "shown", FromCpuSet(env, cpus.Shown()));
  Set(object, "count", Napi::Number::New(env, cpus.count));
  Set(object, "whole_set", Napi::Boolean::New(env, cpus.whole_set));
  return object;
}

Napi::Value FromCpuTimes(Napi::Env env, const CpuTimes& times) {
  const Napi::Object object = Napi::Object::New(env);
  Set(object, "total", FromTable(env, times.total, kCpuTime));
  const auto convert = [](Napi::Env inner, const core::model::CpuTimeOfOne& one) {
    const Napi::Object each = FromTable(inner, one.time, kCpuTime);
    Set(each, "cpu", Napi::Number::New(inner, one.cpu));
    return each;
  };
  Set(object, "cpus", FromVector(env, times.cpus, convert));
  return object;
}

Napi::Value FromMemoryView(Napi::Env env, const MemoryView& view) {
  const Napi::Object object = FromTable(env, view, kMemoryView);
  const auto& huge = view.huge_pages;
  Set(object, "huge_pages", huge ? FromTable(env, *huge, kHugePages) : env.Null());
  return object;
}

Napi::Value FromDiskRow(Napi::Env env, const DiskRow& row) {
  return FromDisk(env, row, kDiskRow);
}

MemoryStat ToMemoryStat(const Napi::Object& object) {
  return ToTable<MemoryStat>(object, kMemoryStat);
}

// `limit_bytes`, `usage_bytes` and the rest of one level as its files have them.
core::cgroup::MemoryLevel ToMemoryLevel(const Napi::Object& object) {
  core::cgroup::MemoryLevel level;
  level.limit_bytes = ToU64(Get(object, "limit_bytes"));
  level.high_bytes = ToU64(Get(object, "high_bytes"));
  level.usage_bytes = ToU64(Get(object, "usage_bytes")).value_or(0);
  level.memsw_limit_bytes = ToU64(Get(object, "memsw_limit_bytes"));
  // v1 has no limit of swap alone.
  if (!level.memsw_limit_bytes) level.swap_limit_bytes = ToU64(Get(object, "swap_limit_bytes"));
  level.swap_usage_bytes = ToU64(Get(object, "swap_usage_bytes")).value_or(0);
  level.memsw_usage_bytes = ToU64(Get(object, "memsw_usage_bytes")).value_or(0);
  level.reclaimable_bytes = core::cgroup::ReclaimableBytes(ToMemoryStat(ToObject(object, "stat")));
  return level;
}

// The container root's own numbers, and those of `ancestors`.
Memory ToMemory(const Napi::Object& object) {
  Memory memory;
  memory.limit_bytes = ToU64(Get(object, "limit_bytes"));
  memory.usage_bytes = ToU64(Get(object, "usage_bytes")).value_or(0);
  memory.swap_limit_bytes = ToU64(Get(object, "swap_limit_bytes"));
  memory.swap_usage_bytes = ToU64(Get(object, "swap_usage_bytes")).value_or(0);
  memory.stat = ToMemoryStat(ToObject(object, "stat"));
  memory.room = core::cgroup::RoomOf(ToMemoryLevel(object));
  for (const Napi::Object& ancestor : ToObjects(object, "ancestors")) {
    const auto level = ToMemoryLevel(ancestor);
    memory.room = core::cgroup::SmallerRoom(memory.room, core::cgroup::RoomOf(level));
    const uint64_t limit_bytes = level.limit_bytes.value_or(UINT64_MAX);
    if (limit_bytes < memory.limit_bytes.value_or(UINT64_MAX)) memory.limit_bytes = limit_bytes;
  }
  if (Get(object, "hugetlb").IsObject()) {
    memory.hugetlb = ToTable<HugeTlb>(ToObject(object, "hugetlb"), kHugeTlb);
  }
  return memory;
}

CpuUsage ToCpuUsage(const Napi::Object& object) {
  auto usage = ToTable<CpuUsage>(object, kCpuUsage);
  for (const Napi::Object& each : ToObjects(object, "per_cpu")) {
    usage.per_cpu.push_back(ToTable<CpuUsageOfOne>(each, kCpuUsageOfOne));
    usage.per_cpu.back().cpu = ToU32(each, "cpu");
  }
  return usage;
}

std::optional<CpuQuota> ToQuota(const Napi::Value& value) {
  if (!value.IsObject()) return std::nullopt;
  return ToTable<CpuQuota>(value.As<Napi::Object>(), kCpuQuota);
}

IoDevice ToIoDevice(const Napi::Object& object) {
  auto device = ToTable<IoDevice>(object, kIoDevice);
  device.major = ToU32(object, "major");
  device.minor = ToU32(object, "minor");
  return device;
}

core::model::VisibleCpus ToVisibleCpus(const Napi::Object& object) {
  using core::model::CpuCount;
  using core::model::CpuNumbering;
  core::model::CpuPolicy policy;
  if (ToText(Get(object, "count")) == "cpuset") policy.count = CpuCount::kCpuset;
  if (ToText(Get(object, "numbering")) == "virtual") policy.numbering = CpuNumbering::kVirtual;
  return core::model::DeriveVisibleCpus(ToCpuSet(Get(object, "cpuset")),
                                        ToCpuSet(Get(object, "online")),
                                        ToQuota(Get(object, "quota")),
                                        policy);
}

CpuTimes ToCpuTimes(const Napi::Object& object) {
  CpuTimes times;
  times.total = ToTable<CpuTime>(ToObject(object, "total"), kCpuTime);
  for (const Napi::Object& each : ToObjects(object, "cpus")) {
    times.cpus.push_back({.cpu = ToU32(each, "cpu"), .time = ToTable<CpuTime>(each, kCpuTime)});
  }
  return times;
}

core::model::MemoryPolicy ToMemoryPolicy(const Napi::Object& object) {
  core::model::MemoryPolicy policy;
  const Napi::Value swap = Get(object, "swap");
  if (swap.IsBoolean()) policy.swap = swap.As<Napi::Boolean>().Value();
  policy.overcommit_ratio =
      ToU64(Get(object, "overcommit_ratio")).value_or(policy.overcommit_ratio);
  policy.overcommit_kib = ToU64(Get(object, "overcommit_kib")).value_or(policy.overcommit_kib);
  return policy;
}

MemoryView ToMemoryView(const Napi::Object& object) {
  auto view = ToTable<MemoryView>(object, kMemoryView);
  if (Get(object, "huge_pages").IsObject()) {
    view.huge_pages = ToTable<HugePages>(ToObject(object, "huge_pages"), kHugePages);
  }
  return view;
}

TaskCounts ToTaskCounts(const Napi::Object& object) {
  return ToTable<TaskCounts>(object, kTaskCounts);
}

}  // namespace testing
