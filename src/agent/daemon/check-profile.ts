import { PERSISTENCE, type Wanted } from '../../engine/scope.ts';
import { HftError } from '../../errors.ts';
import { checkPlain } from '../../profile/schema.ts';
import { domains } from '../../tuning/index.ts';
import type { SentProfile } from '../protocol/request.ts';

/** A profile that a controller sent, checked by this hft's own schemas. `command` puts it back at boot: this hft's, never the controller's. */
export async function checkSentProfile({ name, keys, persist }: SentProfile, command: string): Promise<Wanted> {
  const { data, error } = await checkPlain(keys, domains);
  if (data === undefined) throw new ProfileRefused(name, error.issues);
  const { name: _name, description: _description, layout, latency, drift, ...parts } = data;
  const written = Object.fromEntries(Object.entries(parts).filter(([, part]) => part !== undefined));
  const own = persist ? { [PERSISTENCE]: { command } } : {};
  return { name, layout, domains: { ...written, ...own }, ...(latency && { latency }), ...(drift && { drift }) };
}

type Issue = { readonly path: readonly PropertyKey[]; readonly message: string };

class ProfileRefused extends HftError {
  constructor(name: string, [issue]: readonly Issue[]) {
    const where = issue?.path.map(String).join('.') ?? '';
    super(
      `the hft there does not take profile ${name}: ${where && `${where}: `}${issue?.message ?? 'not understood'}.`,
      {
        next: ['Its release is another one than that of the hft here: compare `hft --version` on both.'],
      },
    );
  }
}
