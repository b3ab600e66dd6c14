// SPDX-License-Identifier: Apache-2.0
// core::Fresh, while one caller makes a value and another one asks for it.
//
// Source: core/base/fresh.h.
// Units:  none.
// Errors: none; false says that something is wrong.
#pragma once

namespace testing {

// One that is a few times older than wanted is given meanwhile.
bool AYoungValueIsGivenMeanwhile();
// One that is much older is not: the caller waits for the new one.
bool AnOldValueIsWaitedFor();
// Except where values may take long to make.
bool AnOldValueIsGivenWhereThatIsWanted();

}  // namespace testing
