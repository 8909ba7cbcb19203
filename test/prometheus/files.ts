import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ROOT } from '../cli/run-hft.ts';

const RULES = join(ROOT, 'agents/prometheus');
const DASHBOARDS = join(ROOT, 'agents/grafana');
const TESTS = join(ROOT, 'test/prometheus');

export interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export const ruleFiles = readdirSync(RULES).map((name) => join(RULES, name));
export const testFiles = readdirSync(TESTS)
  .filter((name) => name.endsWith('.test.yml'))
  .map((name) => join(TESTS, name));

export function readRules(): readonly Rule[] {
  return ruleFiles.flatMap((file) =>
    (parse(readFileSync(file, 'utf8')).groups as { rules: Rule[] }[]).flatMap(({ rules }) => rules),
  );
}

/** One expression of a dashboard. */
export interface Query {
  readonly where: string;
  readonly expr: string;
  /** Labels that its legend, or the variable that it is for, names. */
  readonly named: readonly string[];
}

interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly templating: { readonly list: readonly { name: string; definition?: string }[] };
  readonly panels: readonly {
    readonly id: number;
    readonly title: string;
    readonly type: string;
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
    readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
  }[];
}

export function readDashboards(): readonly (Dashboard & { readonly file: string })[] {
  return readdirSync(DASHBOARDS).map((file) => ({
    file,
    ...(JSON.parse(readFileSync(join(DASHBOARDS, file), 'utf8')) as Dashboard),
  }));
}

export function queriesOf({ file, templating, panels }: ReturnType<typeof readDashboards>[number]): readonly Query[] {
  const variables = templating.list.flatMap(({ name, definition }): Query[] => {
    const { expr, label } = /^label_values\((?<expr>.+), (?<label>\w+)\)$/.exec(definition ?? '')?.groups ?? {};
    return expr === undefined || label === undefined ? [] : [{ where: `${file} $${name}`, expr, named: [label] }];
  });
  const shown = panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr, legendFormat }) => ({
      where: `${file} ${title}`,
      expr,
      named: [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1] as string),
    })),
  );
  return [...variables, ...shown];
}
