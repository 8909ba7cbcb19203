import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Kernel } from '../../../src/topology/machine.ts';
import { domains } from '../../../src/tuning/index.ts';
import { catalogue, findKnob } from '../../../src/tuning/knobs/catalogue.ts';
import type { Directories } from '../../../src/tuning/knobs/directories.ts';
import { placesOf, sysctlPath } from '../../../src/tuning/knobs/knob.ts';
import { locateKnob } from '../../../src/tuning/knobs/locate.ts';
import { listSysctlNames } from '../../../src/tuning/knobs/sysctl-names.ts';
import { buildMachine } from '../../machine-builder.ts';

const knob = fc.constantFrom(...catalogue);
const version = fc.tuple(fc.integer({ min: 4, max: 7 }), fc.integer({ min: 0, max: 20 }));

function kernelOf(release: readonly [number, number], lockdown?: string): Kernel {
  return buildMachine({ kernel: { version: release, lockdown } }).kernel;
}

function directoriesWith(path: string): Directories {
  return { [path.slice(0, path.lastIndexOf('/'))]: [path.slice(path.lastIndexOf('/') + 1)] };
}

const nothingThere: Directories = Object.fromEntries(
  catalogue.flatMap((each) => placesOf(each).map(({ path }) => [path.slice(0, path.lastIndexOf('/')), [] as string[]])),
);

describe('the catalogue', () => {
  test('names each knob once and every one with its page of the kernel or manual', () => {
    const names = catalogue.map((each) => each.name);
    expect(new Set(names).size).toBe(names.length);
    for (const each of catalogue)
      expect(each.doc, each.name).toMatch(/^https:\/\/(?:docs\.kernel|www\.kernel|man7)\.org\//);
  });

  test('every sysctl in it is a known name, so that a misspelt one gets it as a suggestion', () => {
    const known = listSysctlNames();
    const sysctls = catalogue
      .map((each) => each.name)
      .filter((name) => /^(?:kernel|vm|net\.core|net\.ipv4)\.[^.]+$/.test(name));
    expect(sysctls.filter((name) => !known.includes(name))).toEqual([]);
  });

  test('a profile key that a knob names exists', async () => {
    for (const each of catalogue) {
      if (each.key === undefined) continue;
      const [name, ...path] = each.key.split('.') as [string, ...string[]];
      const domain = domains.find((candidate) => candidate.name === name);
      let schema = z.toJSONSchema((await domain?.schema()) as z.ZodType, { io: 'input', unrepresentable: 'any' }) as
        | JsonSchema
        | undefined;
      for (const part of path) schema = schema?.properties?.[part];
      expect(schema, each.key).toBeDefined();
    }
  });
});

interface JsonSchema {
  readonly properties?: Record<string, JsonSchema>;
}

describe('locateKnob', () => {
  test('takes the file that is there, whatever the release number says', () => {
    fc.assert(
      fc.property(knob, version, fc.nat(), (each, release, pick) => {
        const places = placesOf(each);
        const place = places[pick % places.length] as (typeof places)[number];
        const located = locateKnob(each, kernelOf(release), directoriesWith(place.path));
        expect(located).toEqual(
          each.inert === undefined ? { found: true, place } : { found: false, kind: 'refused', reason: each.inert },
        );
      }),
    );
  });

  test('where nothing is there it says why, in a sentence', () => {
    fc.assert(
      fc.property(knob, version, (each, release) => {
        const located = locateKnob(each, kernelOf(release), nothingThere);
        expect(located.found).toBe(false);
        if (!located.found) expect(located.reason).toMatch(/\w.{10,}\.$/s);
      }),
    );
  });

  test.each([
    ['kernel.sched_latency_ns', [5, 10], '/proc/sys/kernel/sched_latency_ns'],
    ['kernel.sched_latency_ns', [6, 1], '/sys/kernel/debug/sched/latency_ns'],
    ['kernel.sched_min_granularity_ns', [5, 12], '/proc/sys/kernel/sched_min_granularity_ns'],
    ['kernel.sched_min_granularity_ns', [5, 13], '/sys/kernel/debug/sched/min_granularity_ns'],
    ['kernel.sched_min_granularity_ns', [6, 6], '/sys/kernel/debug/sched/base_slice_ns'],
    ['kernel.sched_migration_cost_ns', [6, 12], '/sys/kernel/debug/sched/migration_cost_ns'],
  ] as const)('%s on %j is expected at %s when the folder cannot be read', (name, release, path) => {
    const unreadable: Directories = Object.fromEntries(
      Object.keys(nothingThere).map((folder) => [folder, 'unreadable' as const]),
    );
    expect(locateKnob(findKnob(name), kernelOf(release), unreadable)).toMatchObject({ found: true, place: { path } });
  });

  test('debugfs under lockdown is closed even when it can be listed', () => {
    const path = '/sys/kernel/debug/sched/migration_cost_ns';
    const located = locateKnob(
      findKnob('kernel.sched_migration_cost_ns'),
      kernelOf([6, 12], 'confidentiality'),
      directoriesWith(path),
    );
    expect(located).toMatchObject({
      found: false,
      kind: 'unsupported',
      reason: expect.stringContaining('lockdown (confidentiality)'),
    });
  });

  test('debugfs that is not mounted is told from a kernel without the knob', () => {
    const located = locateKnob(findKnob('kernel.sched_migration_cost_ns'), kernelOf([6, 12]), {
      '/sys/kernel/debug/sched': 'absent',
    });
    expect(located).toMatchObject({ found: false, reason: expect.stringContaining('debugfs is not mounted') });
  });
});

test('a slash in a sysctl name stands for a dot, as in VLAN interfaces', () => {
  expect(sysctlPath('net.ipv4.conf.eth0/100.rp_filter')).toBe('/proc/sys/net/ipv4/conf/eth0.100/rp_filter');
});
