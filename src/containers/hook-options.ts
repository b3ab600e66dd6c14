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

/** A program that a changed text names, beside the file. */
export interface ProgramFile {
  path: string;
  text: string;
}

/** A text without ours. */
export interface Removed {
  text: string;
  warnings?: string[];
  /** Something of ours has to stay for now, so that the backup is needed once more. */
  isPart?: boolean;
}

/** What is written where a program reads the file, as far as the program itself could be asked. */
export interface Place {
  /** The file to edit, which may be another one that the first one imports. */
  path: string;
  /** @throws ContainersError "unusable" when something that was in force would not be any more */
  install: (
    text: string,
    options: HookOptions,
  ) => Promise<{ text: string; programs: ProgramFile[]; warnings: string[] }>;
  remove: (text: string, original: string | undefined) => Promise<Removed>;
  /** What puts a change in force, where that depends on the change. */
  reloadOf?: (before: string, after: string) => string;
  /** Programs of ours that a text names. */
  programsOf: (text: string) => string[];
  /** The socket of the containerd whose containers use them. */
  socket?: string;
  /** More files that have our edit, which is in force in none of them or is to be taken out of all. */
  others: string[];
}

/** One configuration file of the host; both functions are pure and give the new text. */
export interface HostFile {
  path: string;
  /** Looks at the program that starts from this file, where its text alone does not tell what is in force. */
  at?: (path: string) => Promise<Place>;
  /** @throws ContainersError "unusable" when the text is not what the program reads */
  install: (text: string, options: HookOptions) => string;
  /** The text without what `install` adds; `original` is the text before it, if that is known. */
  remove: (text: string, original: string | undefined) => string;
  /** What makes the program read it. */
  reload: string;
  /** How to go another way where the file's directory cannot be written, as on a host with an immutable /usr. */
  elsewhere?: string;
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
