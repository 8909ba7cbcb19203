/** The labels of each name in a text of metrics. */
export function exposedIn(text: string): Map<string, Set<string>> {
  const exposed = new Map<string, Set<string>>();
  for (const line of text.split('\n')) {
    const { name, labels = '' } = /^(?<name>[a-zA-Z_:][\w:]*)(?:\{(?<labels>.*)\})? \S+$/.exec(line)?.groups ?? {};
    if (name === undefined) continue;
    const known = exposed.get(name) ?? new Set<string>();
    for (const [, label = ''] of labels.matchAll(/(?:^|,)(\w+)="(?:[^"\\]|\\.)*"/g)) known.add(label);
    exposed.set(name, known);
  }
  return exposed;
}

/** Lines that say something of a series that an earlier line has too. */
export function repeatedIn(text: string): readonly string[] {
  const series = text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.slice(0, line.lastIndexOf(' ')));
  return series.filter((each, index) => series.indexOf(each) !== index);
}
