import { z } from 'zod';
import { LIMITS } from './limits.ts';
import type { Ask } from './request.ts';
import { sentWatch } from './sent-drift.ts';
import { sentInspection } from './sent-inspection.ts';
import { sentLaunch, sentListing, sentRecords } from './sent-processes.ts';
import { sentPtpShape } from './sent-ptp.ts';

/**
 * What agents answer, as far as it is looked at: an agent may be of another release, or not what it says it is. Keys that are
 * more are left out.
 */
const text = z.string();
const textOrNull = z.string().nullable();
const count = z.number().int().nonnegative();

const setting = z.object({
  id: text,
  why: text,
  value: textOrNull,
  stage: z.enum(['shape', 'values']),
  leftBy: z.object({ profile: text, run: text }).optional(),
  interface: text.optional(),
});

const change = z.object({
  setting,
  domain: text,
  current: textOrNull,
  staged: textOrNull.optional(),
  desired: textOrNull,
  takesEffect: z.enum(['now', 'reboot']),
  disruption: z.enum(['none', 'link', 'process', 'reboot']),
  evidence: text,
  bystanders: z.array(z.object({ bystander: z.object({ id: text }), from: text, to: text })).optional(),
});

export const sentPlan = z.object({
  profile: text,
  host: text,
  bootId: text.optional(),
  layout: z.object({ housekeeping: text, irq: text, isolated: text }),
  changes: z.array(change),
  satisfied: z.array(
    z.object({ setting, domain: text, current: textOrNull, evidence: text, pendingReboot: z.boolean() }),
  ),
  refused: z.array(
    z.object({
      id: text,
      domain: text,
      reason: text,
      kind: z.enum(['unsupported', 'refused', 'conflict', 'unknown']),
    }),
  ),
  unread: z.array(z.object({ setting, domain: text, code: text, evidence: text })),
  kept: z.array(z.object({ id: text, domain: text, found: textOrNull, reason: text })),
  reboot: z.boolean(),
});

const undoReport = z.object({
  run: text,
  complete: z.boolean(),
  steps: z.array(
    z.object({
      id: text,
      step: count,
      outcome: z.enum(['undone', 'already', 'gone', 'kept', 'failed']),
      to: textOrNull,
      found: textOrNull,
      reason: text.optional(),
      left: textOrNull.optional(),
    }),
  ),
});

const rollback = z.object({
  reports: z.array(undoReport),
  complete: z.boolean(),
  again: z.object({ profile: text, isOfEarlierBoot: z.boolean() }).optional(),
});

const outcome = z.object({
  run: text,
  result: z.enum(['applied', 'undone', 'partly-undone']),
  report: z.object({
    applied: z.array(z.looseObject({ id: text })),
    skipped: z.array(z.looseObject({ id: text, reason: text })),
    failure: z.object({ id: text, reason: text }).optional(),
  }),
  undo: undoReport.optional(),
  confirmBy: text.optional(),
  after: sentPlan,
  onTrial: z.boolean(),
});

const verification = z.object({
  profile: text,
  host: text,
  results: z.array(
    z.object({
      id: text,
      domain: text,
      status: z.enum(['pass', 'fail', 'pending-reboot', 'unsupported', 'unknown']),
      expected: textOrNull,
      actual: textOrNull,
      evidence: text,
    }),
  ),
  summary: z.object({ pass: count, fail: count, 'pending-reboot': count, unsupported: count, unknown: count }),
});

const latencySummary = z.object({
  pass: count,
  fail: count,
  inconclusive: count,
  notJudged: count,
  notMeasured: count,
});

const status = z.object({
  host: text,
  profile: text.optional(),
  since: text.optional(),
  run: text.optional(),
  changes: z.array(z.object({ id: text, from: textOrNull, to: textOrNull })),
  drift: z.array(z.object({ id: text, left: textOrNull, found: textOrNull, evidence: text })),
  pendingReboot: z.array(text),
  waiting: z.object({ run: text, until: text }).optional(),
  cutOff: z.array(text),
  notUndone: z.array(z.object({ run: text, id: text, before: textOrNull, found: textOrNull, evidence: text })),
  latency: z.looseObject({ time: text, profile: textOrNull, cut: z.boolean(), summary: latencySummary }).optional(),
  launched: z.object({ deployment: text, refused: text.optional() }).optional(),
  watch: sentWatch.optional(),
});

/** What an agent counts since it started. */
export const counters = z.object({
  answered: count,
  refused: count,
  malformed: count,
  unknownKeys: count,
  limited: count,
});

/** Where it answers the network probe of who asks for that; an agent that does not has none. */
const responderPort = z.number().int().min(1_024).max(65_535).optional();

export const RESULTS = {
  hello: z.object({
    ...{ host: text, version: text, role: text, name: text, uptimeS: z.number(), counters, responderPort },
    /** The last line of its audit log. Not of older agents. */
    audit: z.object({ seq: count, hash: text }).optional(),
  }),
  status,
  inspect: sentInspection,
  plan: z.object({ plan: z.uuid(), shown: sentPlan, session: z.array(text) }),
  verify: verification,
  'verify-in-force': verification.nullable(),
  recover: rollback,
  apply: outcome,
  adopt: textOrNull,
  answer: z.null(),
  cancel: z.null(),
  confirm: textOrNull,
  rollback,
  launch: sentLaunch,
  stop: sentRecords,
  ps: sentListing,
  reboot: z.null(),
  'verify-latency': z.object({ packed: z.base64().max(LIMITS.packedBytes) }),
  'verify-ptp': verification.extend(sentPtpShape),
  'verify-processes': verification,
  'verify-dpdk': verification,
  respond: z.object({ clients: count, strangers: count, refused: count }),
  /** What the request would have been answered; never of this kind. */
  attend: z.never(),
} satisfies Readonly<Record<Ask, z.ZodType>>;

export type Counters = z.infer<typeof counters>;
export type Hello = z.infer<(typeof RESULTS)['hello']>;
export type ResultOf<Kind extends Ask> = z.infer<(typeof RESULTS)[Kind]>;
