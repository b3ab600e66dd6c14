// SPDX-License-Identifier: Apache-2.0
// Views and explanations as JavaScript objects.
//
// Source: core/engine/view_report.h, explanation.h.
// Units:  as the names of the properties say.
// Errors: none.
#pragma once

#include <napi.h>

#include <memory>

#include "addon/session.h"
#include "core/engine/explanation.h"

namespace addon {

// A promise of an array with all views; their cgroups are read on a thread of the pool.
Napi::Value ReportViews(Napi::Env env, std::shared_ptr<Session> session);

Napi::Object ToJsExplanation(Napi::Env env, const core::engine::Explanation& explanation);

}  // namespace addon
