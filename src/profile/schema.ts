import { z } from 'zod';
import { driftSchema } from '../drift/schema.ts';
import { latencyWanted } from '../latency/targets/schema.ts';
import { layoutWanted } from '../layout/schema.ts';
import type { TuningDomain } from '../tuning/domain.ts';
import type { Path } from './sourced.ts';

/** JSON Schema, as far as it is looked at here. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly [keyword: string]: unknown;
}

/** Domains that `hft tune` fills in by itself: no keys of profiles. */
const FILLED_IN = ['persistence'];

/** The schema of a whole profile: its header, the layout, one optional key per domain, and the limits of latency. */
export async function profileSchema(domains: readonly TuningDomain[]) {
  const written = domains.filter((domain) => !FILLED_IN.includes(domain.name));
  const parts = await Promise.all(
    written.map(async (domain) => [domain.name, (await domain.schema()).optional()] as const),
  );
  const name = z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'expected a name of lower-case letters, digits and hyphens');
  return z
    .strictObject({
      name: name.optional().describe('The name of the profile; the file name without .yaml when it is left out'),
      description: z.string().optional().describe('One sentence: for which hosts it is'),
      layout: layoutWanted.prefault({}),
      ...Object.fromEntries(parts),
      latency: latencyWanted.optional(),
      drift: driftSchema(written.map((domain) => domain.name)).optional(),
    })
    .describe('A profile of hft: what a host should be like');
}

/** Checks the merged keys of a profile, as they were written. */
export async function checkPlain(written: unknown, domains: readonly TuningDomain[]) {
  // Compiling the checks, as zod does by default, pays when a schema is used again and again.
  return (await profileSchema(domains)).safeParse(written, { jitless: true });
}

/** JSON Schema of what is written in a profile, for editors (`# yaml-language-server: $schema=…`). */
export async function profileJsonSchema(domains: readonly TuningDomain[]): Promise<JsonSchema> {
  const names = z.union([z.string(), z.array(z.string())]);
  const written = (await profileSchema(domains)).extend({
    extends: names
      .optional()
      .describe('Profiles that this one starts from, by name or by path relative to this file; later ones win'),
  });
  return toJsonSchema(allowRemoval(written));
}

/** Of what people write, not of what is made of it. */
export function toJsonSchema(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
}

/** The keys that the schema knows at a path; undefined where any key is right or none can be. */
export function knownKeys(schema: JsonSchema, path: Path): readonly string[] | undefined {
  const [step, ...rest] = path;
  const alternatives = [schema, ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
  const keys: string[] = [];
  for (const alternative of alternatives) {
    if (step === undefined) {
      if (typeof alternative.additionalProperties === 'object') return undefined;
      keys.push(...Object.keys(alternative.properties ?? {}));
      continue;
    }
    const below = childSchema(alternative, step);
    keys.push(...((below && knownKeys(below, rest)) ?? []));
  }
  return keys.length > 0 ? [...new Set(keys)] : undefined;
}

function childSchema(schema: JsonSchema, step: string | number): JsonSchema | undefined {
  if (typeof step === 'number') return schema.items;
  const named = schema.properties?.[step];
  if (named !== undefined) return named;
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined;
}

/** Any top-level part may be null: that removes what is inherited. */
export function allowRemoval(schema: z.ZodObject): z.ZodObject {
  const entries = Object.entries(schema.shape).map(([key, part]) => [key, z.nullable(part)] as const);
  return z.strictObject(Object.fromEntries(entries)).describe(schema.description ?? '');
}
