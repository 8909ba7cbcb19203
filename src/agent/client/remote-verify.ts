import type { Verification } from '../../engine/verify.ts';
import type { PtpReport } from '../../ptp/report.ts';
import { unpack } from '../protocol/packed.ts';
import type { Question } from '../protocol/request.ts';
import { type SentLatency, sentLatency } from '../protocol/sent-latency.ts';
import type { AgentConnection, Waiting } from './connection.ts';
import { NoAnswer } from './failures.ts';
import { withPlainTexts } from './plain-text.ts';

type Asked<Kind extends Question['ask']> = Omit<Extract<Question, { ask: Kind }>, 'ask'>;
type Attending = Pick<Waiting, 'signal' | 'onProgress' | 'onListening'>;

/** What takes its time on the host, ends with the signal there too, and with the connection when that is lost for good. */
export interface RemoteVerifier {
  latency(asked: Asked<'verify-latency'>, attending: Attending): Promise<SentLatency>;
  ptp(asked: Asked<'verify-ptp'>, attending: Attending): Promise<PtpReport>;
  processes(asked: Asked<'verify-processes'>, attending: Attending): Promise<Verification>;
  dpdk(asked: Asked<'verify-dpdk'>, attending: Attending): Promise<Verification>;
  /** Until the signal, or the end of its time. */
  respond(asked: Asked<'respond'>, attending: Attending): Promise<void>;
}

export function verifyRemotely(connection: AgentConnection): RemoteVerifier {
  return {
    async latency(asked, attending) {
      const { packed } = await connection.ask<'verify-latency'>({ ask: 'verify-latency', ...asked }, attending);
      const read = sentLatency.safeParse(withPlainTexts(await unpack(packed)));
      if (read.success) return read.data;
      const where = read.error.issues[0]?.path.join('.') || 'all of it';
      throw new NoAnswer(connection.host, `what the agent measured is not what it should be (${where})`, false);
    },
    async ptp(asked, attending) {
      return (await connection.ask<'verify-ptp'>({ ask: 'verify-ptp', ...asked }, attending)) as PtpReport;
    },
    processes: (asked, attending) =>
      connection.ask<'verify-processes'>({ ask: 'verify-processes', ...asked }, attending),
    dpdk: (asked, attending) => connection.ask<'verify-dpdk'>({ ask: 'verify-dpdk', ...asked }, attending),
    async respond(asked, attending) {
      await connection.ask<'respond'>({ ask: 'respond', ...asked }, attending);
    },
  };
}
