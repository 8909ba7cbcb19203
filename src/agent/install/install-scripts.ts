import { quote } from '../../host/ssh/ssh-error.ts';
import { printPublicKey } from '../keys/key-text.ts';
import type { InstallPlan, InstallStep, InstallWish } from './install-plan.ts';
import { ENVIRONMENT, PROGRAM, STALE } from './seen.ts';

/** What is done on the host for a step, by its shell as root; each is whole or can be done again. */
export function scriptOf(
  { step, to }: InstallStep,
  plan: InstallPlan,
  { controller }: InstallWish,
  sum: string,
): string {
  const { kind } = plan.package;
  const hft = `${PROGRAM[kind]}/bin/hft`;
  const name = quote(controller.name);
  switch (step) {
    case 'package':
      return `${RECEIVE(kind, sum)}${kind === 'deb' ? DEB : TARBALL}`;
    case 'key':
      return `${hft} agent keygen >/dev/null`;
    case 'controller':
      return `${hft} agent authorize ${printPublicKey(controller.key)} --role ${plan.role} --name ${name} >/dev/null`;
    case 'listen':
      return environment('HFT_AGENT_LISTEN', plan.listen);
    case 'metrics':
      return environment('HFT_AGENT_METRICS', to);
    case 'service':
      return SERVICE;
    default:
      return ':';
  }
}

/** The package by standard input. What did not arrive whole is not used, and nothing of it is left. */
const RECEIVE = (kind: 'deb' | 'tarball', sum: string) => `
set -e
umask 022
f=$(mktemp /var/tmp/hft-XXXXXXXX${kind === 'deb' ? '.deb' : '.tar.xz'})
trap 'rm -rf "$f" ${PROGRAM.tarball}.new' EXIT
trap 'exit 1' HUP INT TERM
cat > "$f"
if [ "$(sha256sum "$f" | cut -d ' ' -f 1)" != ${sum} ]; then echo 'the package did not arrive whole' >&2; exit 1; fi
mkdir -p /run/hft
`;

const DEB = `
: > ${STALE}
DEBIAN_FRONTEND=noninteractive dpkg -i "$f" >&2
systemctl daemon-reload
`;

/** It has to run there before it takes the place of the one before. */
const TARBALL = `
p=${PROGRAM.tarball}
u=/etc/systemd/system/hft-agent.service
l=/usr/local/bin/hft
if { [ -e $l ] || [ -L $l ]; } && [ "$(readlink $l)" != $p/bin/hft ]; then echo "$l is not of hft's making" >&2; exit 1; fi
rm -rf $p.new
mkdir -p $p.new /usr/local/bin
tar -xJf "$f" -C $p.new --strip-components=1 --no-same-owner
$p.new/bin/hft --version >/dev/null
sed 's|${PROGRAM.deb}|${PROGRAM.tarball}|g' $p.new/agents/hft-agent.service > $u.new
: > ${STALE}
rm -rf $p.old
if [ -e $p ]; then mv $p $p.old; fi
mv $p.new $p
mv $u.new $u
rm -rf $p.old
ln -sfn $p/bin/hft $l
systemctl daemon-reload
`;

/** What else stands in the file stays. */
const environment = (name: string, value: string) => `
set -e
umask 022
mkdir -p /etc/hft /run/hft
: > ${STALE}
{ grep -v '^${name}=' ${ENVIRONMENT} 2>/dev/null || :; echo ${name}=${value}; } > ${ENVIRONMENT}.new
mv ${ENVIRONMENT}.new ${ENVIRONMENT}
`;

/** systemctl returns when the agent has said READY=1; what it said instead is shown. */
const SERVICE = `
systemctl daemon-reload
systemctl enable --quiet hft-agent.service || exit
systemctl reset-failed hft-agent.service 2>/dev/null
if ! systemctl restart hft-agent.service || ! systemctl is-active --quiet hft-agent.service; then
  journalctl -u hft-agent.service -n 1 -o cat --no-pager >&2
  exit 1
fi
rm -f ${STALE}
`;
