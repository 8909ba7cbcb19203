import type { Judged, Watched } from './judged.ts';
import type { BypassLook } from './look-bypass.ts';

/** Whether the library that was to be loaded before a process is in it, and does anything there. */
export function judgeBypass(watched: Watched): Judged[] {
  const { bypass } = watched.placed;
  if (bypass === undefined) return [];
  const last = watched.looks.findLast(({ process }) => process.bypass !== undefined)?.process.bypass;
  return [judgeMapped(watched, last), ...judgeAccelerated(watched, last)];
}

function judgeMapped({ placed, pid }: Watched, look: BypassLook | undefined): Judged {
  const { library, path } = placed.bypass as NonNullable<typeof placed.bypass>;
  const base = { id: `processes.bypass@${placed.name}`, domain: placed.name, expected: `lib${library} is mapped` };
  const maps = `/proc/${pid}/maps`;
  if (look?.mapped === undefined) {
    return {
      ...base,
      status: 'unknown',
      actual: null,
      evidence: `${maps} could not be read: root, or whoever it runs as`,
    };
  }
  if (look.mapped === null) {
    const evidence = `${maps} has no lib${library}.so: ${path} was not loaded, or not into this program; what the process printed at its start says why`;
    return { ...base, status: 'fail', actual: 'not mapped', evidence };
  }
  return { ...base, status: 'pass', actual: `lib${library} is mapped`, evidence: `${maps}: ${look.mapped}` };
}

/** A library that is there can still leave every socket to the kernel. Nothing is said of a process without sockets. */
function judgeAccelerated({ placed, pid }: Watched, look: BypassLook | undefined): Judged[] {
  const files = look?.files;
  if (files === undefined || look?.mapped === null || look?.mapped === undefined) return [];
  const isOnload = placed.bypass?.library === 'onload';
  const expected = isOnload ? 'sockets or stacks of Onload' : 'an RDMA device that VMA drives';
  const base = { id: `processes.accelerated@${placed.name}`, domain: placed.name, expected };
  const where = `/proc/${pid}/fd`;
  if (files.accelerated.length > 0) {
    const shown = files.accelerated.slice(0, MOST_NAMED).join(', ');
    const more = files.accelerated.length > MOST_NAMED ? ` and ${files.accelerated.length - MOST_NAMED} more` : '';
    const which = isOnload ? '' : '; which of its sockets go there, vma_stats tells';
    return [{ ...base, status: 'pass', actual: expected, evidence: `${where}: ${shown}${more}${which}` }];
  }
  if (files.kernelSockets === 0) return [];
  if (files.kernelSockets === undefined) {
    const evidence = `${where} shows none, and /proc/${pid}/net could not be read`;
    return [{ ...base, status: 'unknown', actual: null, evidence }];
  }
  const evidence = `${where}: ${files.kernelSockets} TCP and UDP sockets of the kernel, and ${isOnload ? 'none of Onload' : 'no /dev/infiniband/uverbs*'}`;
  return [{ ...base, status: 'fail', actual: 'the kernel has all sockets', evidence }];
}

const MOST_NAMED = 3;
