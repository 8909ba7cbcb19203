import { HostError } from '../../errors.ts';
import type { Host } from '../../host/host.ts';
import { BootError } from './boot-error.ts';
import { checkNewCommandLine, type WantedArguments } from './check-menu.ts';
import { type BootFacts, readBootFacts } from './facts.ts';
import { defaultGrubEntry } from './grub-menu.ts';
import { GrubSyntaxError } from './grub-script.ts';
import type { GrubMkconfig } from './loader.ts';
import { parseOwnDefaults, printDropIn, replaceOwn, withOwnBlock } from './own-arguments.ts';
import { grubMenu, knownFromGrub, readStagedCommandLine, type Staged } from './staged.ts';

/** Kept next to grub.cfg, as it was before hft's first argument, for as long as hft has arguments there. */
const COPY_ENDING = '.before-hft';

/**
 * Sets hft's arguments in its drop-in and makes grub.cfg anew. grub-mkconfig itself rewrites grub.cfg in place, where a
 * power cut leaves half a menu: here its output is checked first and then put in grub.cfg's place in one rename.
 */
export async function writeThroughMkconfig(
  host: Host,
  facts: BootFacts,
  loader: GrubMkconfig,
  wanted: readonly WantedArguments[],
): Promise<void> {
  const { path, form } = loader.source;
  const copy = `${loader.config}${COPY_ENDING}`;
  const old = {
    source: facts.files.get(path),
    copy: await host.readText(copy),
    config: facts.files.get(loader.config),
  };
  const own = replaceOwn(parseOwnDefaults(old.source), wanted);
  const newSource = form === 'drop-in' ? printDropIn(own) : withOwnBlock(old.source ?? '', own);
  try {
    // hft's own file goes last and comes first: as long as anything of hft is there, it shows in readStaged.
    if (own.length === 0) await putFile(host, copy, undefined);
    await putFile(host, path, newSource);
    const config = await generate(host, loader);
    const before = readStagedCommandLine(facts, loader);
    checkNewCommandLine(loader.config, before, await stagedIn(host, loader, config), wanted);
    if (own.length > 0 && old.copy === undefined && old.config !== undefined)
      await host.replaceFile(copy, old.config, 0o600);
    if (config !== old.config) await host.replaceFile(loader.config, config);
  } catch (error) {
    await putBack(host, copy, old.copy);
    await putBack(host, path, old.source);
    throw error;
  }
}

/** A disk that is full or read-only now must not hide why the change failed: the half-done state shows in readStaged. */
async function putBack(host: Host, path: string, text: string | undefined): Promise<void> {
  try {
    await putFile(host, path, text);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
  }
}

async function generate(host: Host, loader: GrubMkconfig): Promise<string> {
  const made = await host.execute([loader.mkconfig]);
  if (!made.found || made.exitCode !== 0) {
    const said = made.found ? made.stderr.trim().split('\n').at(-1) : 'not found';
    throw new BootError(loader.config, 'EIO', `${loader.mkconfig} failed (${said}); kept the old menu`);
  }
  if (loader.scriptCheck) {
    const checked = await host.execute([loader.scriptCheck], { input: made.stdout });
    if (!checked.found || checked.exitCode !== 0) {
      throw new BootError(loader.config, 'EINVAL', `${loader.scriptCheck} refuses the new menu; kept the old one`);
    }
  }
  return made.stdout;
}

async function stagedIn(host: Host, loader: GrubMkconfig, config: string): Promise<Staged> {
  try {
    return knownFromGrub(defaultGrubEntry(grubMenu(await readBootFacts(host), loader, config)), loader.config);
  } catch (error) {
    if (!(error instanceof GrubSyntaxError)) throw error;
    return { status: 'unreadable', code: 'EINVAL', evidence: error.message };
  }
}

async function putFile(host: Host, path: string, text: string | undefined): Promise<void> {
  if ((await host.readText(path)) === text) return;
  if (text === undefined) await host.removeFile(path);
  // A grub.cfg and its copy can hold password hashes.
  else await host.replaceFile(path, text, path.endsWith(COPY_ENDING) ? 0o600 : undefined);
}
