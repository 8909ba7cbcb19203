import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { probes } from '../src/latency/index.ts';
import { domains } from '../src/tuning/index.ts';

const ROOT = join(import.meta.dirname, '..');

function filesBelow(folder: string, ending: string): string[] {
  const names = readdirSync(join(ROOT, folder), { withFileTypes: true });
  return names.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesBelow(path, ending);
    return entry.name.endsWith(ending) ? [path] : [];
  });
}

const SOURCES = filesBelow('src', '.ts');
const TESTS = filesBelow('test', '.ts');
const text = (file: string) => readFileSync(join(ROOT, file), 'utf8');

interface Import {
  readonly file: string;
  readonly line: number;
  /** A path below the repository for our own files, else the name of the package. */
  readonly target: string;
  readonly isType: boolean;
}

function importsOf(file: string): Import[] {
  const found: Import[] = [];
  const pattern =
    /(?:^|\n)\s*(?:import|export)\s+(?<type>type\s)?[^;'"]*?from\s+'(?<from>[^']+)'|import\('(?<lazy>[^']+)'\)/g;
  for (const match of text(file).matchAll(pattern)) {
    const from = (match.groups?.from ?? match.groups?.lazy) as string;
    const target = from.startsWith('.') ? relative(ROOT, join(ROOT, file, '..', from)) : from;
    const line = text(file).slice(0, match.index).split('\n').length + 1;
    found.push({ file, line, target, isType: match.groups?.type !== undefined });
  }
  return found;
}

const IMPORTS = SOURCES.flatMap(importsOf);

/** Who must not import what, and why. The one table; see docs/ARCHITECTURE.md. */
const RULES: readonly {
  readonly who: RegExp;
  readonly what: RegExp;
  readonly except?: RegExp;
  readonly why: string;
}[] = [
  {
    who: /^src\/(?!host\/|cli\/(start|compiled|question)\.ts)/,
    what: /^(node:)?(fs|child_process)(\/|$)/,
    why: 'only src/host touches files and processes: take a HostReader or a Host',
  },
  { who: /^src\/(?!host\/)/, what: /^execa$/, why: 'only src/host starts processes: use host.query or host.execute' },
  { who: /^src\/(?!agent\/)/, what: /^zeromq$/, why: 'only src/agent talks to agents' },
  {
    who: /^src\/(?!agent\/|host\/(scrub|ssh\/))/,
    what: /^(node:net|node:http|node-ssh)$/,
    why: 'only src/agent has sockets, and src/host/ssh',
  },
  { who: /^src\/(?!commands\/|cli\/)/, what: /^@oclif\//, why: 'only commands know oclif: pass plain values' },
  {
    who: /^src\/(topology\/(cpulist|machine)|layout)/,
    what: /^(node:|execa|src\/(engine|agent|commands|cli|views|tuning|tunables))/,
    why: 'facts and roles are pure',
  },
  {
    who: /^src\/latency\/(histogram|statistics)\//,
    what: /^(node:(?!zlib$)|src\/(?!latency\/(histogram|statistics)\/|errors\.ts))/,
    why: 'histograms and statistics are pure: take blocks or text',
  },
  {
    who: /^src\/tuning\//,
    what: /^src\/(engine|agent|commands|cli|views)\//,
    why: 'a domain says what it wants as data and knows nothing of who does it',
  },
  {
    who: /^src\/tunables\//,
    what: /^src\/(engine|agent|commands|cli|views|tuning)\//,
    why: 'a kind knows its place, not who writes to it',
  },
  {
    who: /^src\/engine\//,
    what: /^src\/(agent|commands|cli|views)\//,
    why: 'the engine is used by the agent, not the other way round',
  },
  { who: /^src\/host\//, what: /^src\/(?!host\/|errors\.ts)/, why: 'the door knows nothing of what is behind it' },
  {
    who: /^src\/latency\//,
    what: /^src\/(engine|agent|commands|cli|views|tuning|tunables)\//,
    why: 'measuring knows nothing of who asked for it',
  },
  {
    who: /^src\/latency\/(?!probe\/|attribution\/)/,
    what: /^(node:(?!zlib$)|src\/host\/)/,
    why: 'what is made of a measurement is pure: src/latency/probe runs it',
  },
  {
    who: /^src\/launch\//,
    what: /^(execa|src\/(engine|agent|commands|cli|views|host|tunables|tuning\/(?!limits\/schema)))/,
    why: 'where threads go is decided from facts: who launches gives them',
  },
  {
    who: /^src\/ptp\//,
    what: /^(node:(?!crypto$)|execa|src\/(agent|commands|cli|views|host|tunables|tuning)\/)/,
    why: 'a clock is looked at through a HostReader and judged purely: who asks, waits and writes is elsewhere',
  },
  {
    who: /^src\/metrics\//,
    what: /^(node:|execa|src\/(host|agent|engine|commands|cli|views|tuning|tunables|topology)\/)/,
    why: 'what is exposed is made from facts: src/agent/metrics reads them',
  },
  {
    who: /^src\/fleet\//,
    what: /^(node:|execa|src\/(commands|views|cli|host|tuning|tunables|topology)\/)/,
    why: 'inventories, waves and differences are decided from data: who asks hosts is in src/cli',
  },
  {
    who: /^src\/(drift|chain)\//,
    what: /^(node:(?!crypto$)|execa|src\/(agent|engine|commands|cli|views|host|tunables|tuning)\/)/,
    why: 'what is made of looks and lines is pure: who looks and writes gives them',
  },
  { who: /^src\/agent\//, what: /^src\/(commands|views|cli)\//, why: 'the agent answers with data' },
  { who: /^src\/views\//, what: /^(node:|src\/(host|agent|commands)\/(?!agent\.ts))/, why: 'a view is data to text' },
  {
    who: /^src\/commands\//,
    what: /^src\/(host|tuning|topology)\//,
    why: 'a command is flags, one call, one view: the call is in src/cli or src/agent',
  },
];

describe('imports', () => {
  test.each(RULES.map((rule) => [`${rule.who.source} has no ${rule.what.source}`, rule] as const))('%s', (_, rule) => {
    const breaches = IMPORTS.filter(
      ({ file, target, isType }) => !isType && rule.who.test(file) && rule.what.test(target),
    );
    expect(breaches.map(({ file, line, target }) => `${file}:${line} imports ${target}: ${rule.why}`)).toEqual([]);
  });

  test('zeromq is loaded when an agent is asked or run, and not before', () => {
    const early = IMPORTS.filter(({ file, target, isType, line }) => {
      const isLazy = text(file).split('\n')[line - 2]?.includes("import('zeromq')") ?? false;
      return target === 'zeromq' && !isType && !isLazy;
    });
    expect(early.map(({ file, line }) => `${file}:${line}`)).toEqual([]);
    expect(IMPORTS.some(({ target }) => target === 'zeromq')).toBe(true);
  });

  test('a domain imports no other domain', () => {
    const folderOf = (path: string) => /^src\/tuning\/(?<domain>[^/]+)\//.exec(path)?.groups?.domain;
    const breaches = IMPORTS.filter(({ file, target }) => {
      const [from, to] = [folderOf(file), folderOf(target)];
      return from !== undefined && to !== undefined && from !== to && to !== 'knobs';
    });
    expect(breaches.map(({ file, line, target }) => `${file}:${line} imports ${target}`)).toEqual([]);
  });
});

describe('files', () => {
  test('have at most 300 lines', () => {
    const programs = [...filesBelow('agents', '.c'), ...filesBelow('agents', '.h')];
    const files = [...SOURCES, ...filesBelow('test', '.ts'), ...programs];
    const long = files.filter((file) => text(file).split('\n').length > 301);
    expect(long).toEqual([]);
  });

  test('are named after what they own', () => {
    const vague = /(^|[/-])(utils?|helpers?|common|misc|manager|base-?class|stuff)([.-]|$)/;
    expect([...SOURCES, ...TESTS].filter((file) => vague.test(file))).toEqual([]);
  });
});

/** What must not be written, and what to write instead. */
const BANNED: readonly { readonly pattern: RegExp; readonly instead: string; readonly where?: RegExp }[] = [
  { pattern: /\bas any\b(?! other)/, instead: 'a type' },
  { pattern: /@ts-(ignore|expect-error|nocheck)/, instead: 'a type' },
  { pattern: /\b(TODO|FIXME|XXX)\b/, instead: 'an issue' },
  { pattern: /process\.env\.(NODE_ENV|VITEST)/, instead: 'a parameter: no code asks whether it runs under test' },
  { pattern: /\b(it|test|describe)\.(skip|only|todo)\b/, instead: 'a test that runs', where: /^test\// },
  { pattern: /\bvi\.mock\(/, instead: 'FakeHost: no module mocks', where: /^test\// },
];

test('nothing banned is written', () => {
  const breaches = [...SOURCES, ...TESTS]
    .filter((file) => file !== 'test/tidy.test.ts')
    .flatMap((file) =>
      BANNED.filter(({ pattern, where }) => (where?.test(file) ?? true) && pattern.test(text(file))).map(
        ({ pattern, instead }) => `${file}: ${pattern.source}: write ${instead}`,
      ),
    );
  expect(breaches).toEqual([]);
});

describe('domains', () => {
  const folders = readdirSync(join(ROOT, 'src/tuning')).filter((name) =>
    statSync(join(ROOT, 'src/tuning', name)).isDirectory(),
  );

  test('the list and the folders are the same', () => {
    const listed = domains.map((domain) => domain.name).sort();
    expect(folders.filter((name) => name !== 'knobs').sort()).toEqual(listed);
  });

  test.each(domains.map((domain) => domain.name))('%s has a README and a schema', (name) => {
    const names = readdirSync(join(ROOT, 'src/tuning', name));
    expect(names).toContain('README.md');
    expect(names).toContain('schema.ts');
  });
});

describe('probes', () => {
  /** What all probes share. */
  const SHARED = ['attribution', 'histogram', 'ingest', 'probe', 'report', 'saved', 'statistics', 'targets'];
  const folders = readdirSync(join(ROOT, 'src/latency'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !SHARED.includes(entry.name))
    .map(({ name }) => name);

  test('the list and the folders are the same', () => {
    expect(folders.sort()).toEqual(probes.map(({ name }) => name).sort());
  });

  test.each(probes.map(({ name }) => name))('%s has a README, and hft-probe has it', (name) => {
    expect(readdirSync(join(ROOT, 'src/latency', name))).toContain('README.md');
    expect(readdirSync(join(ROOT, 'agents/probes'))).toContain(`${name.replaceAll('-', '_')}.c`);
  });
});

test('the list of commands and the folder are the same', async () => {
  const { commands } = await import('../src/commands/index.ts');
  const files = filesBelow('src/commands', '.ts').map((file) =>
    relative('src/commands', file).replace(/\.ts$/, '').replaceAll('/', ':'),
  );
  expect(Object.keys(commands).sort()).toEqual(files.filter((name) => name !== 'index' && name !== 'base').sort());
});
