// SPDX-License-Identifier: Apache-2.0

import { loadConfig } from '../../config/load.js';
import {
  describeOmissions,
  formatRecipe,
  type RecipeName,
  recipeNames,
} from '../../containers/recipes.js';
import { attachablePaths } from '../../native/attach.js';
import { formatJson, jsonOption } from '../client.js';
import { type Command, exitCodes, UsageError } from '../command.js';
import { configFlags, configOption, treeOption } from '../config-options.js';
import { attachedFilesOption } from '../files-option.js';
import { formatProblems } from '../output.js';

export const mounts: Command = {
  name: 'mounts',
  summary: 'Prints the flags or the file that mount the public tree into a container',
  operands: [recipeNames.join('|')],
  operandValues: [recipeNames],
  options: {
    json: jsonOption,
    files: attachedFilesOption,
    tree: treeOption,
    config: configOption,
  },
  examples: [
    ['lensfs mounts docker', 'flags of "docker run" that follow a daemon which is restarted'],
    ['lensfs mounts systemd --files memory', 'a drop-in that gives a service its own memory'],
  ],
  run: async (args, io) => {
    const [name = ''] = args.positionals;
    if (!isRecipeName(name)) {
      throw new UsageError(`mounts: expected one of ${recipeNames.join(', ')}, got "${name}"`);
    }
    const parsed = await loadConfig(configFlags(args));
    if (!parsed.ok) {
      io.stderr.write(formatProblems(parsed.problems));
      return exitCodes.usage;
    }
    const paths = attachablePaths(args.text('files') ?? 'all');
    const options = { tree: parsed.config.tree, paths };
    const [text, omissions] = [formatRecipe(name, options), describeOmissions(name, options)];
    if (args.isSet('json')) {
      io.stdout.write(formatJson({ for: name, tree: options.tree, paths, text, omissions }));
      return exitCodes.ok;
    }
    io.stdout.write(text);
    io.stderr.write(omissions);
    return exitCodes.ok;
  },
};

function isRecipeName(name: string): name is RecipeName {
  return recipeNames.some((known) => known === name);
}
