import { HftError, type HostError } from '../../errors.ts';

/** What cannot be written down is not done. Exit 3: nothing was changed. */
export class NotAudited extends HftError {
  constructor({ code, path }: HostError) {
    super(`The agent cannot write its audit log (${code}, ${path}), and changes nothing that is not in it.`, {
      exitCode: 3,
      next: [
        'Nothing was done. Make room on the disk of the state directory, and ask again; on the host itself hft works without its agent.',
      ],
    });
  }
}
