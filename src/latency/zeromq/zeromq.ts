import { finding } from '../probe/findings.ts';
import type { Finding, Probe, Variant, VariantRequest } from '../probe/probe.ts';
import type { ProbeRun } from '../probe/run.ts';
import { reportTraffic } from '../probe/traffic.ts';

const RATE_HZ = 10_000;
const PAYLOAD_BYTES = 64;

/** README.md says what it measures and why. */
export const zeromq: Probe = {
  name: 'zeromq',
  what: 'ZeroMQ over ipc: PUSH/PULL and PUB/SUB one way, REQ/REP there and back',
  onlyInFull: true,
  variants: listVariants,
  report(run, variant) {
    const report = reportTraffic('zeromq', run, variant);
    return { ...report, findings: [...report.findings, ...findSharing(run)] };
  },
};

function listVariants({ cpus, suite }: VariantRequest): readonly Variant[] {
  const [sender, receiver] = cpus;
  if (sender === undefined || receiver === undefined) return [];
  const patterns = suite === 'quick' ? ['push-pull'] : ['push-pull', 'pub-sub', 'req-rep'];
  // A thread that spins would keep the library's threads from its CPU.
  const waits = suite === 'quick' || cpus.length < 3 ? ['block'] : ['block', 'spin'];
  const [senderIo = receiver, receiverIo = senderIo] = cpus.slice(2, 4);
  return patterns.flatMap((pattern) =>
    waits.map((wait) => ({
      name: `${pattern} ${wait}`,
      cpus: [sender, receiver],
      spins: true,
      // The sender waits for the next intended time without sleeping, whatever the receiver does.
      spinning: wait === 'spin' ? [sender, receiver] : [sender],
      policy: 'other' as const,
      options: {
        pattern,
        wait,
        payload: PAYLOAD_BYTES,
        rate: RATE_HZ,
        'sender-io-cpu': senderIo,
        'receiver-io-cpu': receiverIo,
      },
    })),
  );
}

function findSharing({ meta, streams }: ProbeRun): Finding[] {
  const peer = streams[0]?.peer;
  const [senderIo, receiverIo] = meta.ioCpus ?? [];
  if (senderIo === undefined || senderIo !== receiverIo) return [];
  const withWhom = senderIo === peer ? 'each other and with the receiver' : 'each other';
  return [
    finding(
      'threads-share-cpu',
      `The I/O threads of the library share CPU ${senderIo} with ${withWhom}: four CPUs (--cpus) give each thread its own.`,
    ),
  ];
}
