// SPDX-License-Identifier: Apache-2.0
import type { Option } from './command.js';

/** Which files a container gets: words of a list, such as "cpu,memory". */
export const attachedFilesOption: Option = {
  type: 'string',
  placeholder: 'LIST',
  values: ['all', 'cpu', 'memory', 'io', 'pressure', 'uptime'],
  help: 'which files: all (default), or words such as cpu,memory,io,pressure,uptime',
};
