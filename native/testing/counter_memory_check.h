// SPDX-License-Identifier: Apache-2.0
// core::engine::CounterMemory, which a process that ends in the middle of a write must leave whole.
//
// Source: core/engine/counter_memory.h.
// Units:  none.
// Errors: none; false says that something is wrong.
#pragma once

namespace testing {

// What was saved is found again through another mapping, as after a restart.
bool CountersAreFoundAgain();
// A record that was being written when the process ended does not count.
bool HalfARecordDoesNotCount();
// With all places taken, the record that is the oldest makes way, and no other.
bool TheOldestCountersMakeWay();
// Whoever needs less of it at the same time takes nothing of it away.
bool TwoMapItAtOnce();
// Nothing is written once a successor is about to.
bool ReleasedCountersAreNotWritten();

}  // namespace testing
