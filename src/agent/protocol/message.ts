import { z } from 'zod';
import { isDeep } from './limits.ts';
import { envelope, PROTOCOL, type Question, question } from './request.ts';

export interface Request {
  readonly id: string;
  readonly question: Question;
}

/** A body as JSON text; undefined when it is none, or one that is nested too deeply to be touched. */
function parseBody(body: Buffer): unknown {
  const text = body.toString('utf8');
  if (isDeep(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export type ReadRequest =
  | { readonly is: 'request'; readonly request: Request }
  /** Whoever sent it can be told why. */
  | { readonly is: 'foreign'; readonly id: string; readonly version: number }
  | { readonly is: 'wrong'; readonly id: string; readonly reason: string }
  | { readonly is: 'malformed' };

export function printRequest({ id, question: { ask, ...rest } }: Request): Buffer {
  return Buffer.from(JSON.stringify({ hft: PROTOCOL, id, ask, ...rest }));
}

export function readRequest(body: Buffer): ReadRequest {
  const parsed = parseBody(body);
  const head = envelope.safeParse(parsed);
  if (!head.success) return { is: 'malformed' };
  const { hft: version, id } = head.data;
  if (version !== PROTOCOL) return { is: 'foreign', id, version };
  const { hft: _version, id: _id, ...rest } = parsed as Record<string, unknown>;
  const asked = question.safeParse(rest);
  if (asked.success) return { is: 'request', request: { id, question: asked.data } };
  return { is: 'wrong', id, reason: describeIssue(asked.error) };
}

function describeIssue({ issues }: z.ZodError): string {
  const [issue] = issues;
  const where = issue?.path.join('.') ?? '';
  return `${where === '' ? '' : `${where.slice(0, 200)}: `}${issue?.message.slice(0, 300) ?? 'not understood'}`;
}

/** An error on its way: an HftError, or one of those that are given a place in the profile by whoever has its file. */
export const sentError = z.object({
  /** layout, cpus, and expected where it is about a place in the profile: with `about` the key or the expression. refused: nothing was
   *  looked at or done. bug: of the agent. */
  kind: z.enum(['expected', 'layout', 'cpus', 'refused', 'bug']),
  message: z.string(),
  next: z.array(z.string()),
  exitCode: z.number().int().min(1).max(125),
  about: z.string().optional(),
});
export type SentError = z.infer<typeof sentError>;

const answerHead = z.object({ hft: z.number().int(), id: z.uuid() });
const answerBody = z.discriminatedUnion('is', [
  z.object({ is: z.literal('result'), result: z.unknown() }),
  z.object({ is: z.literal('error'), error: sentError }),
  /** It is at work still. */
  z.object({ is: z.literal('beat') }),
  /** What is done so far, for whoever waits. */
  z.object({ is: z.literal('progress'), done: z.number(), of: z.number(), what: z.string() }),
  /** A responder listens, at the address by which it was asked for. */
  z.object({ is: z.literal('listening'), port: z.number().int().min(1_024).max(65_535) }),
  /** Go on with this plan? Answered by a request of the kind `answer`. */
  z.object({ is: z.literal('question'), plan: z.unknown() }),
]);

export type AnswerBody = z.infer<typeof answerBody>;
export interface Answer {
  readonly id: string;
  readonly body: AnswerBody;
}

export type ReadAnswer =
  | ({ readonly is: 'answer' } & Answer)
  | { readonly is: 'foreign'; readonly id: string; readonly version: number }
  | { readonly is: 'malformed' };

export function printAnswer(id: string, body: AnswerBody): Buffer {
  return Buffer.from(JSON.stringify({ hft: PROTOCOL, id, ...body }));
}

export function readAnswer(bytes: Buffer): ReadAnswer {
  const parsed = parseBody(bytes);
  const head = answerHead.safeParse(parsed);
  if (!head.success) return { is: 'malformed' };
  const { hft: version, id } = head.data;
  if (version !== PROTOCOL) return { is: 'foreign', id, version };
  const body = answerBody.safeParse(parsed);
  return body.success ? { is: 'answer', id, body: body.data } : { is: 'malformed' };
}
