import { Flags } from '@oclif/core';
import type { Scope } from '../engine/scope.ts';

/** `--only` and `--skip`, which limit a plan to some domains. */
export const scopeFlags = {
  only: Flags.string({
    multiple: true,
    delimiter: ',',
    helpValue: 'DOMAIN',
    summary: 'Only these domains (irq,nic …)',
  }),
  skip: Flags.string({ multiple: true, delimiter: ',', helpValue: 'DOMAIN', summary: 'All but these domains' }),
};

export async function readScope(flags: { only?: string[] | undefined; skip?: string[] | undefined }): Promise<Scope> {
  const { domains } = await import('../tuning/index.ts');
  const { UsageError } = await import('../errors.ts');
  const known = domains.map((domain) => domain.name);
  for (const name of [...(flags.only ?? []), ...(flags.skip ?? [])]) {
    if (!known.includes(name)) throw new UsageError(`There is no domain ${name}. Domains: ${known.join(', ')}.`);
  }
  return { ...(flags.only && { only: flags.only }), ...(flags.skip && { skip: flags.skip }) };
}
