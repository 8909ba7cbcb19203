/** Inventories of any shape, the same for the same seed. */
class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed * 2_654_435_761 + 1;
  }

  /** 0 … sides - 1 */
  roll(sides: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * sides);
  }

  pick<T>(from: readonly T[]): T {
    return from[this.roll(from.length)] as T;
  }

  some<T>(from: readonly T[], most: number): readonly T[] {
    return Array.from({ length: this.roll(most + 1) }, () => this.pick(from));
  }
}

const HOSTS = [
  'a',
  'b1',
  'c.example.com',
  'web[1:4]',
  'db[01:03]',
  'x[a:c]y',
  'n[0:8:3]',
  '10.0.0.[1:3]',
  'r[1:2]s[a:b]',
  'p:22',
  'q[1:2]:2222',
];
const VARIABLES = ['one', 'two', 'three', 'ansible_host', 'hft_agent_port'];
const VALUES = [
  '1',
  '007',
  'text',
  '"quoted words"',
  "'[1, 2]'",
  'True',
  'None',
  '1.50',
  '-2',
  '1e3',
  'a,b',
  '"{\'k\': [1, {}]}"',
  'x"y"z',
  '0b11',
  '\\#',
];
const GROUPS = ['g0', 'g1', 'g2', 'g3', 'g-4', 'g5.x'];

/** Children are of higher numbers alone: no cycle. Sections in any order, each perhaps more than once. */
export function makeInventory(seed: number): string {
  const dice = new Dice(seed);
  const assignments = () =>
    dice
      .some(VARIABLES, 3)
      .map((name) => ` ${name}=${dice.pick(VALUES)}`)
      .join('');
  const hosts = () => dice.some(HOSTS, 4).map((host) => `${host}${assignments()}`);
  const sections = GROUPS.flatMap((group, index) => {
    const below = GROUPS.slice(index + 1);
    const children = below.length > 0 ? dice.some(below, 2) : [];
    const vars = dice.some(VARIABLES, 2).map((name) => `${name}=${dice.pick(VALUES)}`);
    const priority = dice.roll(4) === 0 ? [`ansible_group_priority=${dice.roll(9)}`] : [];
    return [
      [`[${group}]`, ...hosts()],
      [`[${group}:children]`, ...children],
      [`[${group}:vars]`, ...vars, ...priority],
    ];
  });
  for (let at = sections.length - 1; at > 0; at--) {
    const other = dice.roll(at + 1);
    [sections[at], sections[other]] = [sections[other] as string[], sections[at] as string[]];
  }
  return [...hosts(), ...sections.flat(), ...(dice.roll(2) ? ['[all:vars]', 'one=all'] : []), ''].join('\n');
}

const YAML_VALUES = [
  '1',
  '"007"',
  'text',
  'yes',
  'off',
  '~',
  '1.50',
  '[1, a]',
  '{k: {l: 1}}',
  '0x1f',
  '0o17',
  '1_000',
  '1e3',
  '1.5e+3',
  'y',
  'N',
  '"1:30"',
  "'it''s'",
];

export function makeYaml(seed: number): string {
  const dice = new Dice(seed + 1_000);
  const map = (entries: readonly string[], indent: string) =>
    [...new Map(entries.map((each) => [each.split(': ')[0], each])).values()].map((each) => `${indent}${each}`);
  const vars = (indent: string) =>
    map(
      dice.some(VARIABLES, 3).map((name) => `${name}: ${dice.pick(YAML_VALUES)}`),
      indent,
    );
  const hosts = (indent: string) =>
    [...new Set(dice.some(HOSTS, 4))].flatMap((host) => [`${indent}${JSON.stringify(host)}:`, ...vars(`${indent}  `)]);
  const group = (index: number, indent: string): string[] => {
    const below = GROUPS.slice(index + 1);
    const children = below.length > 0 ? [...new Set(dice.some(below, 2))] : [];
    return [
      ...[`${indent}hosts:`, ...hosts(`${indent}  `), `${indent}vars:`, ...vars(`${indent}  `)],
      ...[
        `${indent}children:`,
        ...children.flatMap((child) => [
          `${indent}  ${child}:`,
          ...(dice.roll(2) ? group(GROUPS.indexOf(child), `${indent}    `) : []),
        ]),
      ],
    ];
  };
  return [
    'all:',
    ...group(-1, '  '),
    ...GROUPS.flatMap((name, index) => (dice.roll(2) ? [`${name}:`, ...group(index, '  ')] : [])),
    '',
  ].join('\n');
}
