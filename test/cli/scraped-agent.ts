import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Disturbance } from '../../src/latency/report/disturbances.ts';
import { printRecord } from '../../src/latency/report/record.ts';
import { layoutWanted } from '../../src/layout/schema.ts';
import { printFamilies } from '../../src/metrics/exposition.ts';
import { isolatedFamilies } from '../../src/metrics/host-families.ts';
import { processFamilies } from '../../src/metrics/process-families.ts';
import { ptpMetrics } from '../../src/ptp/metrics.ts';
import { reportPtp } from '../../src/ptp/report.ts';
import { freePort } from '../free-port.ts';
import { exposedIn } from '../prometheus/exposed.ts';
import { STRICT } from '../unit/ptp/expected.ts';
import { looks } from '../unit/ptp/looks.ts';
import { sampleRecord } from '../unit/views/report/sample.ts';
import { AgentProcess } from './agent-process.ts';
import { FIRST, REFERENCE } from './launched.ts';

const DEPLOYMENT = `processes:\n  md:\n    command: [${REFERENCE}, --thread, "md-rx:block"]\n    threads: { "*": ${FIRST} }\n`;

const TICK: Disturbance = {
  ...{ cause: 'timer tick', kind: 'timer', cpus: [2], count: 7, totalNs: 9_000, maxNs: 2_000, explained: true },
  ...{ fix: null, advice: null, pageFaults: null, letRun: [] },
};

/** An agent of a host on which something was tuned, measured and launched, as its state says; nothing of this machine is changed. */
export class ScrapedAgent extends AgentProcess {
  url = '';

  /** Its metrics, when all was read once and the threads of what was launched were looked at twice. */
  async begin(): Promise<string> {
    this.#prepare();
    this.url = `http://127.0.0.1:${await freePort()}`;
    this.host.HFT_AGENT_METRICS = this.url.slice('http://'.length);
    await this.introduce('operator');
    const { exitCode, stderr } = await this.onHost('hft launch mine --gate none --wait');
    if (exitCode !== 0) throw new Error(stderr);
    return this.scrapeUntil('hft_settings', 'hft_process_threads', 'hft_latency_seconds', 'hft_profile_info');
  }

  async stop(): Promise<void> {
    await this.onHost('hft stop');
    await this.end('SIGKILL');
  }

  /** Until every name is there: what was not read yet comes with a later scrape. */
  async scrapeUntil(...names: readonly string[]): Promise<string> {
    for (;;) {
      const scraped = await (await fetch(`${this.url}/metrics`)).text();
      if (names.every((name) => scraped.includes(`\n${name}{`) || scraped.includes(`\n${name} `))) return scraped;
      await sleep(PAUSE_MS);
    }
  }

  /** What this machine has nothing of (a PTP clock, isolated CPUs), from the same code with made-up facts. */
  sampled(text: string): string {
    const cpus = [{ cpu: 3, timer: 10, devices: 1, others: 2, tickless: true }];
    const judged = {
      id: 'processes.ticks@cpu3',
      domain: 'CPUs',
      status: 'fail',
      expected: null,
      actual: null,
      evidence: '',
    } as const;
    const processes = processFamilies({
      ...{ deployment: undefined, gate: undefined, rows: [], wanted: [], supervised: undefined, judged: [judged] },
    }).filter(({ name }) => name === 'hft_exclusive_cpu_findings');
    const known = exposedIn(text);
    const more = [...isolatedFamilies(cpus), ...processes].filter(({ name }) => !known.has(name));
    return `${printFamilies(more)}${ptpMetrics(reportPtp('box7', looks(), STRICT))}`;
  }

  #prepare(): void {
    const home = this.host.HOME as string;
    const state = this.host.HFT_STATE_DIR as string;
    const swappiness = Number(readFileSync('/proc/sys/vm/swappiness', 'utf8'));
    const domains = { memory: { swappiness: swappiness === 1 ? 2 : 1 } };
    const path = join(home, 'drifted.conf');
    writeFileSync(path, 'somebody else\n');
    const records = [
      {
        ...{
          type: 'begin',
          run: 'r1',
          time: '2026-11-20T10:00:00.000Z',
          host: 'box7',
          bootId: undefined,
          origin: 'user',
        },
        ...{ wanted: { name: 'sample', layout: layoutWanted.parse({}), domains }, version: '0.1.0' },
      },
      {
        ...{ type: 'intent', step: 1, id: 'sample.file@drifted', from: null, to: 'ours\n', persistent: true },
        tunable: { kind: 'config-file', path, mode: 0o644 },
      },
      { type: 'done', step: 1, reported: 'ours\n' },
      { type: 'confirm-by', time: '2036-11-20T10:00:00.000Z' },
      { type: 'end', result: 'applied' },
    ];
    mkdirSync(join(state, 'journal'), { recursive: true });
    writeFileSync(join(state, 'journal/r1.jsonl'), records.map((each) => `${JSON.stringify(each)}\n`).join(''));
    mkdirSync(join(state, 'latency'));
    const record = sampleRecord();
    const measured = { ...record, result: { ...record.result, disturbances: [TICK] } };
    writeFileSync(join(state, 'latency/last.jsonl'), printRecord(measured));
    mkdirSync(this.hostFile('deployments'), { recursive: true });
    writeFileSync(this.hostFile('deployments/mine.yaml'), DEPLOYMENT);
  }
}

const PAUSE_MS = 200;
