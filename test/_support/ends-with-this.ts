// SPDX-License-Identifier: Apache-2.0

/** A command whose process gets the signal when this process has ended, also when that is killed. */
export function endsWithThis(signal: 'TERM' | 'KILL'): string[] {
  return ['setpriv', '--pdeathsig', signal];
}
