import type { Judged } from '../launch/judged.ts';
import type { Phase } from '../launch/supervision.ts';
import type { ProcessRow } from '../launch/table.ts';
import { counter, type Family, gauge, type Sample, whenKnown } from './exposition.ts';

/** What was launched or adopted, by the last two looks at it. */
export interface ProcessesReading {
  readonly deployment: string | undefined;
  readonly gate: 'verify' | 'none' | undefined;
  readonly rows: readonly ProcessRow[];
  /** Names of those that somebody wants to run. */
  readonly wanted: readonly string[];
  /** Empty: there was one look only. */
  readonly judged: readonly Judged[];
  /** Somebody restarts what ends; undefined: nothing has to be. */
  readonly supervised: boolean | undefined;
}

const PHASES: readonly Phase[] = [
  'down',
  'waiting',
  'starting',
  'placing',
  'running',
  'stopping',
  'backoff',
  'ended',
  'broken',
];
/** Of what is judged of a CPU and not of a process. */
const CPUS = 'CPUs';
const IN_PLACE = 'processes.cpus';

export function processFamilies(reading: ProcessesReading): readonly Family[] {
  const { deployment, gate, rows, wanted, judged, supervised } = reading;
  const each = (of: (row: ProcessRow) => number | undefined) =>
    rows.flatMap((row) => whenKnown(of(row)).map(([, value]): Sample => [{ process: row.record.name }, value]));
  return [
    gauge(
      'hft_deployment_info',
      '1: what was launched, and whether the gate looked at the host first.',
      deployment === undefined ? [] : [[{ deployment, gate: gate ?? '' }, 1]],
    ),
    gauge(
      'hft_supervisor_up',
      '1: who restarts processes is there; 0: it was killed.',
      whenKnown(supervised === undefined ? undefined : Number(supervised)),
    ),
    gauge(
      'hft_process_wanted',
      '1: somebody wants it to run.',
      each(({ record }) => Number(wanted.includes(record.name))),
    ),
    gauge(
      'hft_process_up',
      '1: it runs, placed; 0: it does not.',
      each(({ record }) => Number(record.phase === 'running')),
    ),
    gauge(
      'hft_process_phase',
      '1 for the phase that it is in.',
      rows.flatMap(({ record }) =>
        PHASES.map((phase): Sample => [{ process: record.name, phase }, Number(phase === record.phase)]),
      ),
    ),
    counter(
      'hft_process_restarts_total',
      'Starts after the first, since it was asked for.',
      each(({ record }) => Math.max(0, record.restarts)),
    ),
    gauge(
      'hft_process_breaker_open',
      '1: it failed too often and is not started any more.',
      each(({ record }) => Number(record.phase === 'broken')),
    ),
    gauge(
      'hft_process_resident_bytes',
      'Resident memory of a process.',
      each((row) => row.residentBytes),
    ),
    gauge(
      'hft_process_swap_bytes',
      'Memory of a process that is swapped out.',
      each((row) => row.swapBytes),
    ),
    ...judgedFamilies(rows, judged),
  ];
}

function judgedFamilies(rows: readonly ProcessRow[], judged: readonly Judged[]): readonly Family[] {
  if (judged.length === 0) return [];
  const names = rows.map(({ record }) => record.name);
  const ofProcess = (name: string) => judged.filter(({ domain }) => domain === name);
  const threads = (name: string, status: Judged['status']) =>
    ofProcess(name).filter((each) => checkOf(each) === IN_PLACE && each.status === status).length;
  const findings = countFindings(judged.filter(({ domain }) => names.includes(domain)));
  const onCpus = countFindings(judged.filter(({ domain }) => domain === CPUS));
  return [
    gauge(
      'hft_process_threads',
      'Threads that the deployment names: where they were placed, elsewhere, or not known.',
      names.flatMap((process): Sample[] => [
        [{ process, state: 'in_place' }, threads(process, 'pass')],
        [{ process, state: 'elsewhere' }, threads(process, 'fail')],
        [{ process, state: 'unknown' }, threads(process, 'unknown')],
      ]),
    ),
    gauge(
      'hft_process_findings',
      'What `hft verify processes` would say is wrong with a process, by check.',
      findings.map(({ about, check, count }) => [{ process: about, check }, count]),
    ),
    gauge(
      'hft_exclusive_cpu_findings',
      'What is wrong on CPUs that processes have to themselves, by check.',
      onCpus.map(({ check, count }) => [{ check }, count]),
    ),
  ];
}

/** 0 for a check that passed: an alert on it ends. */
function countFindings(judged: readonly Judged[]) {
  const counts = new Map<string, { about: string; check: string; count: number }>();
  for (const each of judged) {
    const [about, check] = [each.domain, checkOf(each)];
    const known = counts.get(`${about} ${check}`) ?? { about, check, count: 0 };
    counts.set(`${about} ${check}`, { ...known, count: known.count + Number(each.status === 'fail') });
  }
  return [...counts.values()];
}

/** `processes.cpus` of `processes.cpus@market-data/md-rx`. */
function checkOf({ id }: Judged): string {
  return id.split('@')[0] ?? id;
}
