// SPDX-License-Identifier: Apache-2.0
import type { TestCgroup } from '../../test/_support/cgroup.js';
import type { FindFile } from '../drivers/driver.js';

/** Arguments: a number, so many pairs of a file and the path it is mounted over, then a command. */
const script = `
mount -t proc proc /proc || exit 125
count=$1
shift
while [ "$count" -gt 0 ]; do
  [ "$1" = "$2" ] || mount --bind "$1" "$2" || exit 125
  shift 2
  count=$((count - 1))
done
exec "$@"`;

/**
 * A command line that runs `command` in a container whose files are where programs look for them:
 * a cgroup, a pid namespace with a /proc of its own, and the driver's files mounted over it.
 */
export function inContainer(
  container: TestCgroup,
  find: FindFile,
  files: readonly string[],
  command: readonly string[],
): [string, string[]] {
  const pairs = files.flatMap((file) => [find(file), `/${file}`]);
  return container.contain(
    ...(['unshare', '--mount', 'sh', '-c', script, 'sh'] as const),
    ...[`${files.length}`, ...pairs, ...command],
  );
}
