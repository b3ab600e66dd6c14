// SPDX-License-Identifier: Apache-2.0
// Signals of a worker -> what it is asked to do.

export interface SignalHandlers {
  /** SIGTERM and SIGINT. */
  onStop: () => void;
  /** SIGHUP. */
  onReload: () => void;
}

// Signals that LXCFS's users send. Without a handler the first opens Node.js's debugger to everybody
// on the machine, and the second ends the process.
const ignoredSignals = ['SIGUSR1', 'SIGUSR2'] as const;

/** Handles signals until disposed; after that they have their default effect again. */
export function handleSignals({ onStop, onReload }: SignalHandlers): Disposable {
  process.on('SIGTERM', onStop);
  process.on('SIGINT', onStop);
  process.on('SIGHUP', onReload);
  for (const signal of ignoredSignals) process.on(signal, ignore);
  return {
    [Symbol.dispose]: () => {
      process.off('SIGTERM', onStop);
      process.off('SIGINT', onStop);
      process.off('SIGHUP', onReload);
      for (const signal of ignoredSignals) process.off(signal, ignore);
    },
  };
}

function ignore(): void {}
