import type { Kernel } from '../../topology/machine.ts';
import type { Desired, Refusal, Setting } from '../domain.ts';
import { findKnob } from './catalogue.ts';
import type { Directories } from './directories.ts';
import { sysctlPath } from './knob.ts';
import { locateKnob } from './locate.ts';

/** A wish for one knob of the catalogue. */
export interface KnobWish {
  /** The domain that wishes. */
  readonly domain: string;
  readonly knob: string;
  /** In the canonical spelling of the knob's format. */
  readonly value: string;
  /** When the knob's own sentence does not say why this value. */
  readonly why?: string;
  readonly ifRefused?: Setting['ifRefused'];
  readonly stage?: Setting['stage'];
}

/** What deciding about a knob takes. */
export interface KnobFacts {
  readonly kernel: Kernel;
  readonly directories: Directories;
}

/** `network.sysctl@net.core.rmem_max`; for a knob of /sys its own two parts: `memory.thp@enabled`. */
export function knobId({ domain, knob }: Pick<KnobWish, 'domain' | 'knob'>): string {
  if (/^(?:kernel|vm|fs|net)\./.test(knob)) return `${domain}.sysctl@${knob}`;
  const [thing, target] = knob.split('.');
  return `${domain}.${thing}@${target}`;
}

/** Settings for the wishes whose knob this kernel has, refusals with the reason for the others. Order is kept. */
export function wishKnobs(wishes: readonly KnobWish[], facts: KnobFacts): Desired {
  const settings: Setting[] = [];
  const refused: Refusal[] = [];
  for (const wish of wishes) {
    const id = knobId(wish);
    const knob = findKnob(wish.knob);
    const located = locateKnob(knob, facts.kernel, facts.directories);
    if (!located.found) {
      refused.push({ id, kind: located.kind, reason: located.reason });
      continue;
    }
    const { path, format, note, primer } = located.place;
    const companion = knob.companion === undefined ? undefined : sysctlPath(knob.companion);
    settings.push({
      id,
      stage: wish.stage ?? 'values',
      tunable: { kind: 'file', path, format, ...(primer && { primer }), ...(companion && { companion }) },
      value: wish.value,
      why: [wish.why ?? knob.about, note].filter((part) => part !== undefined).join(' '),
      ifRefused: wish.ifRefused ?? 'fail',
      disruption: 'none',
    });
  }
  return { settings, refused };
}

/** Joins the parts that a domain decides one by one. */
export function joinDesired(...parts: readonly Desired[]): Desired {
  return { settings: parts.flatMap((part) => part.settings), refused: parts.flatMap((part) => part.refused) };
}
