import type { HostReader } from '../host/host.ts';
import { hasHypervisorFlag } from './cpuinfo.ts';
import { readValue } from './kernel-file.ts';

/** What the firmware of a virtual machine says in DMI, by who makes it. Names as systemd-detect-virt(1) gives them. */
const VENDORS: readonly (readonly [RegExp, string])[] = [
  [/vmware/i, 'vmware'],
  [/virtualbox|innotek/i, 'oracle'],
  [/microsoft corporation.*virtual machine/i, 'microsoft'],
  [/xen|hvm domu/i, 'xen'],
  [/parallels/i, 'parallels'],
  [/bhyve/i, 'bhyve'],
  [/amazon ec2/i, 'amazon'],
  [/google compute engine|google/i, 'google'],
  [/qemu|kvm|bochs|openstack|red hat|rhev|nutanix|digitalocean|alibaba|hetzner|firecracker/i, 'kvm'],
];

/**
 * The hypervisor below this kernel, undefined on bare metal. Bare-metal cloud machines name the cloud in DMI as well;
 * only the processor's hypervisor flag (x86) and the hypervisor's own files make a machine virtual.
 */
export async function readHypervisor(reader: HostReader, cpuinfo: string): Promise<string | undefined> {
  const type = await readValue(reader, '/sys/hypervisor/type');
  if (type) return type;
  const [vendor, product] = await Promise.all(
    ['sys_vendor', 'product_name'].map((name) => readValue(reader, `/sys/class/dmi/id/${name}`)),
  );
  const named = nameHypervisor(`${vendor ?? ''} ${product ?? ''}`);
  if (hasHypervisorFlag(cpuinfo)) return named ?? 'unknown';
  const isX86 = /^flags\s*:/m.test(cpuinfo);
  const isVirtualProduct = /qemu|kvm virtual machine|vmware|virtualbox/i.test(product ?? '');
  return !isX86 && isVirtualProduct ? named : undefined;
}

export function nameHypervisor(firmware: string): string | undefined {
  return VENDORS.find(([pattern]) => pattern.test(firmware))?.[1];
}
