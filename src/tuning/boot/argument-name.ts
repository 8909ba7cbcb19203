/** `panic` of `panic=10`. The kernel takes dashes and underscores in names for the same. */
export function nameOf(argument: string): string {
  return (argument.split('=')[0] as string).replaceAll('-', '_');
}
