/**
 * ethtool gives no errno: its exit codes are 1, 81, 92 or the like for the same error, and the reason stands only at
 * the end of a line on standard error, as strerror(3) of the C locale has it. These are the texts of errors that a
 * driver or the kernel gives for ethtool requests.
 */
const CODES: Readonly<Record<string, string>> = {
  'Operation not supported': 'EOPNOTSUPP',
  'Operation not permitted': 'EPERM',
  'Permission denied': 'EACCES',
  'Invalid argument': 'EINVAL',
  'No such device': 'ENODEV',
  'No such file or directory': 'ENOENT',
  'Device or resource busy': 'EBUSY',
  'Numerical result out of range': 'ERANGE',
  'Input/output error': 'EIO',
  'Network is down': 'ENETDOWN',
  'Cannot allocate memory': 'ENOMEM',
  'No space left on device': 'ENOSPC',
  'Resource temporarily unavailable': 'EAGAIN',
  'Connection timed out': 'ETIMEDOUT',
};

/** The last line that ends in an error, and its errno name; undefined when there is none. */
export function findError(output: string): { readonly code: string; readonly line: string } | undefined {
  for (const line of output.trim().split('\n').reverse()) {
    const text = line.slice(line.lastIndexOf(':') + 1).trim();
    const code = Object.hasOwn(CODES, text) ? CODES[text] : undefined;
    if (code !== undefined) return { code, line: line.trim() };
  }
  return undefined;
}
