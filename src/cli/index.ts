/** What dist/hft.cjs exports: oclif finds the commands and the hook here by name (package.json, `oclif`). */
export { commands } from '../commands/index.ts';
export { commandNotFound, main } from './main.ts';
