import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseSettings, readSettings } from '../../../../src/host/ssh/settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'hft-settings-'));
writeFileSync(join(folder, 'more'), 'Host box*\n  User ops\n  Port 2200\n');
const configFile = join(folder, 'config');
writeFileSync(
  configFile,
  `Include ${folder}/more\nMatch host box7\n  HostName 10.1.0.7\n  ProxyJump jump1,jump2\n  HostKeyAlias seven\n` +
    'Host hard\n  PKCS11Provider /usr/lib/pk.so\n  RevokedHostKeys /etc/revoked\n' +
    'Host *\n  IdentityFile ~/.ssh/own\n  IdentityFile %d/other\n  CertificateFile ~/own-cert.pub\n  UserKnownHostsFile ~/k1 /k2\n  IdentitiesOnly yes\n',
);

test('the settings are those that ssh works out: Include, Match, several files', async () => {
  const { homedir: home } = userInfo();
  expect(await readSettings({ name: 'box7', configFile })).toMatchObject({
    hostname: '10.1.0.7',
    port: 2200,
    user: 'ops',
    proxyJump: 'jump1,jump2',
    hostKeyAlias: 'seven',
    identityFiles: [`${home}/.ssh/own`, `${home}/other`],
    certificateFiles: [`${home}/own-cert.pub`],
    identitiesOnly: true,
    beyond: [],
  });
  const said = await readSettings({ name: 'box7', configFile, user: 'root', port: 22, identityFile: configFile });
  expect([said.user, said.port, said.identityFiles[0]]).toEqual(['root', 22, configFile]);
  const { beyond, knownHostsFiles } = await readSettings({ name: 'hard', configFile });
  expect(beyond).toEqual(['pkcs11provider /usr/lib/pk.so', 'revokedhostkeys /etc/revoked']);
  expect(knownHostsFiles.slice(0, 2)).toEqual([`${home}/k1`, '/k2']);
});

test('what ssh does not take as a destination is one line; a name is never an option', async () => {
  writeFileSync(join(folder, 'bad'), 'NoSuchKeyword 1\n');
  await expect(readSettings({ name: 'box7', configFile: join(folder, 'bad') })).rejects.toThrow(
    /^box7: ssh cannot make a destination of it: /,
  );
  await expect(readSettings({ name: '-oProxyCommand=touch /tmp/hft-option', configFile })).rejects.toThrow();
});

test('where the agent is', () => {
  const person = { home: '/home/a', env: { SSH_AUTH_SOCK: '/run/agent', OTHER: '/run/other' } };
  const socket = (text: string) => parseSettings(text, person).agentSocket;
  expect([
    socket(''),
    socket('identityagent SSH_AUTH_SOCK\n'),
    socket('identityagent none\n'),
    socket('identityagent ~/agent\n'),
    socket('identityagent $OTHER\n'),
    parseSettings('', { home: '/', env: {} }).agentSocket,
  ]).toEqual(['/run/agent', '/run/agent', undefined, '/home/a/agent', '/run/other', undefined]);
});
