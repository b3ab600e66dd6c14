// SPDX-License-Identifier: Apache-2.0
// One round: every scenario once with every driver that it names. Drivers take turns in each
// scenario and another one goes first in each, so that drift hits all; each round has processes of
// its own.
import { access } from 'node:fs/promises';
import type { DriverOptions } from './drivers/driver.js';
import { measureControl } from './measure/control.js';
import { measureCold, measureFleet, measureGrowth } from './measure/fleet.js';
import { measureHostile } from './measure/hostile.js';
import { measureLoad } from './measure/load.js';
import { measureOom } from './measure/oom.js';
import { measurePolling } from './measure/polling.js';
import { measureStart } from './measure/start.js';
import { measureTop } from './measure/top.js';
import type { DriverName, Measurement, Outcome } from './measurement.js';
import type { Scenario, Task } from './scenarios.js';
import { Stage, Stages } from './stage.js';

export interface Plan {
  scenarios: readonly Scenario[];
  /** Those that take part at all. */
  drivers: readonly DriverName[];
  loadSeconds: number;
  /** Told before each scenario. */
  onScenario: (scenario: Scenario) => void;
}

export async function measureRound(plan: Plan, round: number): Promise<Measurement[]> {
  const isLoad = ({ task }: Scenario) => task.kind === 'load';
  const loads = plan.scenarios.filter(isLoad);
  const others = plan.scenarios.filter((scenario) => !isLoad(scenario));
  return [
    ...(await measureTogether(plan, loads, round)),
    ...(await measureAlone(plan, others, round)),
  ];
}

/** All daemons run; one at a time has work. */
async function measureTogether(
  plan: Plan,
  scenarios: readonly Scenario[],
  round: number,
): Promise<Measurement[]> {
  await using stages = new Stages();
  const isNeeded = (name: DriverName) => scenarios.some(({ drivers }) => drivers.includes(name));
  await stages.add(plan.drivers.filter(isNeeded));
  const results: Measurement[] = [];
  for (const [index, scenario] of scenarios.entries()) {
    plan.onScenario(scenario);
    for (const name of inTurn(plan, scenario, round + index)) {
      const stage = stages.get(name);
      if (stage === undefined || !(await hasFile(stage, scenario.task))) continue;
      results.push(await measure(plan, stage, scenario, round));
    }
  }
  return results;
}

/** A daemon for each measurement, and nobody else's. */
async function measureAlone(
  plan: Plan,
  scenarios: readonly Scenario[],
  round: number,
): Promise<Measurement[]> {
  const results: Measurement[] = [];
  for (const scenario of scenarios) {
    plan.onScenario(scenario);
    for (const name of inTurn(plan, scenario, round)) {
      await using stage = await Stage.set(name, driverOptions(scenario.task));
      results.push(await measure(plan, stage, scenario, round));
    }
  }
  return results;
}

function driverOptions(task: Task): DriverOptions {
  if (task.kind === 'readers') return { readers: task.readers };
  return { alwaysRender: task.kind === 'growth' };
}

function inTurn(plan: Plan, scenario: Scenario, turn: number): DriverName[] {
  const names = plan.drivers.filter((name) => scenario.drivers.includes(name));
  const first = turn % Math.max(names.length, 1);
  return [...names.slice(first), ...names.slice(0, first)];
}

/** A daemon that has died has all its files: that they cannot be read is a result. */
async function hasFile({ driver, find }: Stage, task: Task): Promise<boolean> {
  if (task.kind !== 'load' || driver.ending() !== undefined) return true;
  // The host's is what it is mounted over.
  return await Promise.all([access(find(task.file)), access(`/${task.file}`)]).then(
    () => true,
    () => false,
  );
}

async function measure(
  plan: Plan,
  stage: Stage,
  scenario: Scenario,
  round: number,
): Promise<Measurement> {
  const outcome = await measureTask(plan, stage, scenario.task);
  const note = stage.driver.ending();
  return {
    ...{ scenario: scenario.name, driver: stage.driver.name, round, ...outcome },
    ...(note !== undefined && { note }),
  };
}

function measureTask({ loadSeconds }: Plan, stage: Stage, task: Task): Promise<Outcome> {
  const { driver, container, find } = stage;
  switch (task.kind) {
    case 'load':
    case 'readers':
      return measureLoad(driver, container, find, { ...task, seconds: loadSeconds });
    case 'polling':
      return measurePolling(driver, task);
    case 'control':
      return measureControl(driver, container, find, task);
    case 'hostile':
      return measureHostile(driver, task);
    case 'top':
      return measureTop(driver, container, find, task);
    case 'fleet':
      return measureFleet(driver, task);
    case 'cold':
      return measureCold(driver, task);
    case 'start':
      return measureStart(driver, find, task);
    case 'oom':
      return measureOom(driver, task);
    case 'growth':
      return measureGrowth(driver, task);
  }
}
