// SPDX-License-Identifier: Apache-2.0
// What a host's configuration says about the two programs, and how the host's files are edited.

/** Name of the runtime for people: `docker run --runtime lensfs`. */
export const runtimeName = 'lensfs';

export interface HookOptions {
  /** Directory of lensfs-hook and lensfs-runtime. */
  binDir: string;
  /** The daemon's directories, when they are not the usual ones. */
  tree?: string | undefined;
  runDir?: string | undefined;
  /** Words for the files, such as "cpu,memory"; all when not given. */
  files?: string | undefined;
  /** Every container, not only those that ask for it. */
  isDefault: boolean;
}

/** One configuration file of the host; both functions are pure and give the new text. */
export interface HostFile {
  path: string;
  /** @throws ContainersError "unusable" when the text is not what the program reads */
  install: (text: string, options: HookOptions) => string;
  /** The text without what `install` adds; `original` is the text before it, if that is known. */
  remove: (text: string, original: string | undefined) => string;
  /** What makes the program read it. */
  reload: string;
  /** Another program that reads the same file, for people. */
  sharedWith?: string;
  /** How a container gets the view afterwards. */
  usage: (options: HookOptions) => string;
}

/** Arguments of lensfs-runtime. */
export function runtimeArguments({ tree, runDir, files }: HookOptions): string[] {
  return toFlags('--lensfs-', { tree, 'run-dir': runDir, files });
}

/** Options of lensfs-hook. */
export function hookFlags({ tree, runDir, files }: HookOptions): string[] {
  return toFlags('--', { tree, 'run-dir': runDir, files });
}

/** Its arguments as an OCI hook, with the name that it has in front. */
export function hookArguments(options: HookOptions): string[] {
  return ['lensfs-hook', 'create-runtime', ...hookFlags(options)];
}

function toFlags(prefix: string, values: Record<string, string | undefined>): string[] {
  return Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [`${prefix}${name}=${value}`],
  );
}
