import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { place } from '../../src/cli/place.ts';
import { HftError } from '../../src/errors.ts';
import { viewPlacement } from '../../src/views/place.ts';

const ROOT = join(import.meta.dirname, '../..');
const MACHINES = join(ROOT, 'test/machines');
const machines = readdirSync(MACHINES, { withFileTypes: true }).filter((entry) => entry.isDirectory());
const deployments = readdirSync(join(ROOT, 'profiles/deployments')).map((name) => name.replace('.yaml', ''));

/** Every shipped deployment on every machine, at 80 columns; an error is an answer too. */
async function placeText(deployment: string, machine: string): Promise<string> {
  try {
    const file = join(ROOT, `profiles/deployments/${deployment}.yaml`);
    return viewPlacement(await place(ROOT, file, { snapshot: join(MACHINES, machine) }), { columns: 80, color: false });
  } catch (error) {
    if (!(error instanceof HftError)) throw error;
    return error.message.replaceAll(ROOT, '');
  }
}

describe.each(machines.map((entry) => entry.name))('%s', (machine) => {
  test.each(deployments)('%s', async (deployment) => {
    const text = await placeText(deployment, machine);
    await expect(`${text}\n`).toMatchFileSnapshot(join(import.meta.dirname, machine, `place-${deployment}.txt`));
  });
});
