import { UsageError } from '../../errors.ts';
import type { HostReader } from '../../host/host.ts';
import { readIni } from './ini.ts';
import { Inventory } from './inventory.ts';
import type { Value } from './python-literal.ts';
import { isYamlMap, readVariables, readYaml } from './yaml.ts';

type Reader = Pick<HostReader, 'readText' | 'list'>;

const YAML_ENDING = /\.(ya?ml|json)$/;
/** Whole files that ansible-vault encrypted: what is in them is not for hft. */
const VAULT = '$ANSIBLE_VAULT';

/**
 * The inventory in one or more files of Ansible's INI or YAML form, with the `group_vars` and `host_vars` beside them. Throws UsageError and
 * ProfileError with file:line.
 */
export async function loadInventory(reader: Reader, files: readonly string[]): Promise<Inventory> {
  const inventory = new Inventory();
  for (const file of files) readInventory(inventory, await readFile(reader, file), file);
  inventory.settle();
  for (const folder of new Set(files.map(folderOf))) await addVariableFiles(reader, inventory, folder);
  if (inventory.hosts.size > 0) return inventory;
  throw new UsageError(`${files.join(', ')}: there is no host in it.`, {
    next: ['Write one name a line; `hft agent status --inventory FILE` shows whether their agents answer.'],
  });
}

async function readFile(reader: Reader, file: string): Promise<string> {
  const text = await reader.readText(file);
  if (text === undefined)
    throw new UsageError(`There is no inventory ${file}.`, { next: ['Give the path of the file.'] });
  if (text.startsWith('#!'))
    throw new UsageError(`${file}: is a script, and hft runs none for its inventory.`, {
      next: ['`ansible-inventory -i SCRIPT --list --yaml > hosts.yml` writes what it says to a file that is one.'],
    });
  return text;
}

/** The ending says which form; without one it is YAML where that can be. */
function readInventory(inventory: Inventory, text: string, file: string): void {
  const hasEnding = /\.[^./]+$/.test(file);
  if (YAML_ENDING.test(file) || (!hasEnding && isYamlMap(text))) readYaml(inventory, text, file);
  else readIni(inventory, text, file);
}

function folderOf(file: string): string {
  const at = file.lastIndexOf('/');
  return at < 0 ? '.' : file.slice(0, at) || '/';
}

async function addVariableFiles(reader: Reader, inventory: Inventory, folder: string): Promise<void> {
  for (const [kind, owners] of [
    ['group_vars', inventory.groups],
    ['host_vars', inventory.hosts],
  ] as const) {
    const names = await reader.list(`${folder}/${kind}`);
    if (names === undefined) continue;
    for (const { name, vars } of owners.values())
      for (const [key, value] of await readVariableFiles(reader, `${folder}/${kind}`, { name, names }))
        vars.set(key, value);
  }
}

interface Owner {
  readonly name: string;
  /** What is in the folder. */
  readonly names: readonly string[];
}

/** NAME, NAME.yml, NAME.yaml or NAME.json, the first that is there; or all in a folder NAME. */
async function readVariableFiles(
  reader: Reader,
  folder: string,
  owner: Owner,
): Promise<readonly (readonly [string, Value])[]> {
  const { name, names } = owner;
  const found = ['', '.yml', '.yaml', '.json'].map((ending) => `${name}${ending}`).find((each) => names.includes(each));
  if (found === undefined) return [];
  const inside = await listFolder(reader, `${folder}/${found}`);
  if (inside === undefined) return readVariableFile(reader, `${folder}/${found}`);
  const read: (readonly [string, Value])[] = [];
  for (const each of inside) {
    if (/^\.|~$/.test(each) || !(YAML_ENDING.test(each) || !each.includes('.'))) continue;
    read.push(...(await readVariableFile(reader, `${folder}/${found}/${each}`)));
  }
  return read;
}

async function readVariableFile(reader: Reader, file: string): Promise<readonly (readonly [string, Value])[]> {
  const text = (await reader.readText(file)) ?? '';
  return text.startsWith(VAULT) ? [] : [...readVariables(text, file)];
}

/** undefined: it is no folder. */
async function listFolder(reader: Reader, path: string): Promise<readonly string[] | undefined> {
  try {
    return await reader.list(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOTDIR') return undefined;
    throw error;
  }
}
