/** One answer of a PTP management client: `RESPONSE MANAGEMENT <name>` and its fields, as text. */
export interface ManagementResponse {
  /** `12221d.fffe.e3e9f7` */
  readonly clock: string;
  /** 0: of the whole clock. */
  readonly port: number;
  /** `TIME_STATUS_NP` */
  readonly name: string;
  readonly fields: ReadonlyMap<string, string>;
}

const HEADER =
  /^\t(?<clock>[0-9a-f]{6}\.[0-9a-f]{4}\.[0-9a-f]{6})-(?<port>\d+) seq \d+ RESPONSE MANAGEMENT (?<name>[A-Z0-9_]+) ?$/;
const FIELD = /^\t\t(?<key>\S+)(?:\s+(?<value>.*\S))?\s*$/;

/**
 * The whole answers in what pmc(8) prints; none for anything else. An answer with a line that is no field, with a field twice, or
 * that the end of the text cuts off, is left out: who needs it finds it missing. pmc exits with 0 whether it was answered or not.
 */
export function parsePmc(text: string): readonly ManagementResponse[] {
  const lines = text.split('\n');
  const isWhole = lines.at(-1) === '';
  const blocks: { readonly header: string; readonly lines: string[] }[] = [];
  for (const line of isWhole ? lines.slice(0, -1) : lines) {
    if (line.startsWith('\t\t')) blocks.at(-1)?.lines.push(line);
    else blocks.push({ header: line, lines: [] });
  }
  const complete = isWhole ? blocks : blocks.slice(0, -1);
  return complete.flatMap((block) => readBlock(block.header, block.lines) ?? []);
}

function readBlock(header: string, lines: readonly string[]): ManagementResponse | undefined {
  const { clock, port, name } = HEADER.exec(header)?.groups ?? {};
  if (clock === undefined || port === undefined || name === undefined) return undefined;
  const fields = new Map<string, string>();
  for (const line of lines) {
    const { key, value } = FIELD.exec(line)?.groups ?? {};
    if (key === undefined || fields.has(key)) return undefined;
    fields.set(key, value ?? '');
  }
  return { clock, port: Number(port), name, fields };
}
