const SUFFIX = /\.(?:service|timer|socket|path|mount|target)$/;

/** Whether this is the whole name of a unit, with its kind: `chrony.service`. */
export function isUnitName(name: string): boolean {
  return SUFFIX.test(name);
}

/** `tuned` is tuned.service. */
export function unitOf(name: string): string {
  return isUnitName(name) ? name : `${name}.service`;
}
