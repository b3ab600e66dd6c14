// SPDX-License-Identifier: Apache-2.0
// zod, loaded as CommonJS: one file after the other, where modules would be opened all at once and
// take the descriptors that reads are answered with.
import zod = require('zod');

export import z = zod.z;
