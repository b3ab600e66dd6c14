// SPDX-License-Identifier: Apache-2.0
// Records to exact bytes, one function and one .cc file per virtual file.
//
// Source: the kernel functions named in each .cc file.
// Units:  as the kernel prints them.
// Errors: none; every renderer writes at least one line.
#pragma once

#include "core/base/write_text.h"
#include "core/render/sheet.h"

namespace core::render {

void RenderCpuInfo(const Sheet& sheet, TextWriter& out);
void RenderCpuOffline(const Sheet& sheet, TextWriter& out);
void RenderCpuOnline(const Sheet& sheet, TextWriter& out);
void RenderDiskStats(const Sheet& sheet, TextWriter& out);
void RenderLoadAverage(const Sheet& sheet, TextWriter& out);
void RenderMemInfo(const Sheet& sheet, TextWriter& out);
void RenderPressure(const Sheet& sheet, TextWriter& out);
void RenderSlabInfo(const Sheet& sheet, TextWriter& out);
void RenderStat(const Sheet& sheet, TextWriter& out);
void RenderSwaps(const Sheet& sheet, TextWriter& out);
void RenderUptime(const Sheet& sheet, TextWriter& out);
void RenderVmStat(const Sheet& sheet, TextWriter& out);

}  // namespace core::render
