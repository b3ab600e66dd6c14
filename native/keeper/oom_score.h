// SPDX-License-Identifier: Apache-2.0
// How readily the kernel kills this process when memory runs out.
//
// Source: proc(5), /proc/self/oom_score_adj.
// Units:  -1000 (never) to 1000.
// Errors: none; where it may not be changed it stays.
#pragma once

namespace keeper {

int ReadOomScore();
// Safe between fork(2) and execv(3).
void WriteOomScore(int score);

}  // namespace keeper
