import { sayParents } from './profile-validate.ts';

export interface ValidDeployment {
  readonly name: string;
  readonly file: string;
  readonly sources: readonly string[];
  readonly processes: readonly string[];
}

export function viewValidDeployment({ file, sources, processes }: ValidDeployment): string {
  return `${file} is a valid deployment${sayParents(file, sources)}. It starts: ${processes.join(', ')}.`;
}
