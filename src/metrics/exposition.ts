export type Labels = Readonly<Record<string, string>>;
export type Sample = readonly [labels: Labels, value: number];

/** All samples of one name. */
export interface Family {
  /** Unit last, in base units: `hft_latency_seconds`; a counter ends in `_total`. */
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter';
  readonly samples: readonly Sample[];
}

export function gauge(name: string, help: string, samples: readonly Sample[]): Family {
  return { name, help, type: 'gauge', samples };
}

export function counter(name: string, help: string, samples: readonly Sample[]): Family {
  return { name, help, type: 'counter', samples };
}

/** The samples of something that may not be there. */
export function whenKnown(value: number | undefined | null): readonly Sample[] {
  return value === undefined || value === null ? [] : [[{}, value]];
}

/** https://prometheus.io/docs/instrumenting/exposition_formats/: text, version 0.0.4. A family without samples is left out. */
export function printFamilies(families: readonly Family[]): string {
  return families
    .filter(({ samples }) => samples.length > 0)
    .map(print)
    .join('');
}

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

function print({ name, help, type, samples }: Family): string {
  const lines = samples.map(([labels, value]) => `${name}${printLabels(labels)} ${printValue(value)}\n`);
  return `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

function printLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escapeValue(text)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

/** These three, and no other: `\u0041` would be refused. */
function escapeValue(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function printValue(value: number): string {
  if (Number.isFinite(value)) return String(value);
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '+Inf' : '-Inf';
}
