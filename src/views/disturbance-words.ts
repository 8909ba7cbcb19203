/** What is said of a disturbance in the terminal and on the page alike. */
interface Said {
  readonly cause: string;
  readonly pageFaults?: number | null;
  readonly advice?: string | null;
  readonly letRun?: readonly string[];
}

const THREADS_NAMED = 3;

/** With what belongs to it alone: `page-faulter (16000 page faults)`. */
export function nameDisturbance({ cause, pageFaults }: Pick<Said, 'cause' | 'pageFaults'>): string {
  return (pageFaults ?? null) === null ? cause : `${cause} (${pageFaults} page faults)`;
}

/** Who ran because of throttling, in front of what helps against it. */
export function adviseOn({ advice = null, letRun = [] }: Pick<Said, 'advice' | 'letRun'>): string | null {
  if (letRun.length === 0) return advice;
  const rest = letRun.length - THREADS_NAMED;
  const threads = `${letRun.slice(0, THREADS_NAMED).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
  return [`It let run: ${threads}.`, ...(advice === null ? [] : [advice])].join(' ');
}
