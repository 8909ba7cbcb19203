#!/bin/sh
# Runs in the guest: prints its whole readable state, in sections that state/parse.ts reads. `@@files`: records
# `path NUL line`; `@@text KEY`: text; `@@units`: what systemctl show prints; `@@threads`: status and stat of threads.
# Commands that this machine refuses print nothing: absence is a value too. Few processes are started, because a fork costs
# 10 ms in emulation; what needs work is printed raw.
udevadm settle
systemctl is-system-running --wait > /dev/null
export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin

# Every line of every readable file below these places, as `path NUL line`.
lines() { grep -raHZs '' "$@" 2>/dev/null; }

echo '@@files'
lines /proc/sys
lines /proc/cmdline /proc/swaps
lines /sys/devices/system/cpu /sys/devices/system/clocksource /sys/devices/system/machinecheck
lines /sys/kernel/mm /sys/kernel/rcu_expedited /sys/kernel/rcu_normal
lines /sys/devices/virtual/workqueue
lines /sys/kernel/debug/sched --exclude-dir=domains --exclude=debug
for node in /sys/devices/system/node/node*; do lines "$node/hugepages" "$node/cpulist" "$node/distance"; done
for nic in /sys/class/net/*; do
  lines "$nic/mtu" "$nic/tx_queue_len" "$nic/gro_flush_timeout" "$nic/napi_defer_hard_irqs" "$nic/threaded" \
    "$nic/operstate" "$nic/ifalias" "$nic/address" "$nic/flags"
  lines "$nic/queues"
done
for disk in /sys/block/[!l]*; do lines "$disk/queue"; done
find /sys/module -path '*/parameters/*' -type f -print0 2>/dev/null | xargs -0 grep -aZs '' /dev/null
find /sys/devices/pci* -name driver_override -o -path '*/power/control' -o -name d3cold_allowed -o -name sriov_numvfs \
  -o -name numa_node 2>/dev/null | xargs grep -aZs '' /dev/null
find /sys/fs/cgroup \( -name 'cpuset.*' -o -name cgroup.subtree_control -o -name 'cpu.weight' -o -name cpu.max \) \
  2>/dev/null | xargs grep -aZs '' /dev/null
for irq in /sys/kernel/irq/*; do
  read -r actions < "$irq/actions"
  [ -n "$actions" ] || continue
  for file in smp_affinity_list effective_affinity_list; do
    read -r value < "/proc/irq/${irq##*/}/$file" && printf 'irq/%s/%s\0%s\n' "$actions" "$file" "$value"
  done 2>/dev/null
done
lines /proc/irq/default_smp_affinity
find /sys/bus/pci/devices/*/driver -maxdepth 0 -printf '%p\0%l\n'
# Sizes of devtmpfs follow the free memory at boot; autofs names a pipe.
sed 's/,size=[0-9]*k,nr_inodes=[0-9]*//; s/fd=[0-9]*,pgrp=[0-9]*,//; s/,pipe_ino=[0-9]*//' /proc/mounts |
  while read -r device place kind options rest; do printf 'mount%s\0%s %s %s\n' "$place" "$device" "$kind" "$options"; done
while read -r module rest; do printf 'module/%s\0loaded\n' "$module"; done < /proc/modules

places='/etc /boot /usr/local /lib/systemd /lib/modprobe.d /lib/modules-load.d /lib/sysctl.d /lib/udev /var/spool/cron
  /run/systemd/system /run/systemd/transient /run/systemd/network /run/udev/rules.d /run/sysctl.d /run/modprobe.d'
find $places -xdev -printf 'file%p\0%y %m %u:%g %l\n' 2>/dev/null
find $places -xdev -type f -print0 2>/dev/null | xargs -0 md5sum |
  sed 's/^\([0-9a-f]*\)  \(.*\)/file\2\x00md5 \1/'

echo '@@units'
systemctl show '*' --no-pager --property=Id,LoadState,ActiveState,SubState,UnitFileState,DropInPaths,NeedDaemonReload
echo '@@threads'
grep -aEH '^(Name|PPid|Cpus_allowed_list):' /proc/[0-9]*/task/*/status 2>/dev/null
grep -aH '' /proc/[0-9]*/task/*/stat 2>/dev/null

for nic in /sys/class/net/*; do
  nic=${nic##*/}
  [ -e "/sys/class/net/$nic/device" ] || continue
  for flag in -g -c -k -l -a -x -n -u -T --show-priv-flags --show-eee --show-fec; do
    echo "@@text ethtool/$nic/$flag"
    ethtool "$flag" "$nic" 2>/dev/null
  done
done
echo '@@text ip/link'; ip -o -d link show | sed 's/^[0-9]*: //; s/ minmtu.*//' | sort
echo '@@text ip/address'; ip -o address show | sed 's/^[0-9]*: //' | sort
echo '@@text ip/route'; ip route show table all | sort
echo '@@text ip/rule'; ip rule show
echo '@@text tc/qdisc'; tc qdisc show | sort
# nft would load its module by asking.
[ ! -e /sys/module/nf_tables ] || { echo '@@text nft'; nft list ruleset; }
echo '@@text grub/environment'; grub-editenv list
echo '@@text limits'; sed 's/ *$//; /^Max \(locked memory\|processes\|pending signals\)/d' /proc/1/limits
echo '@@text timers'; systemctl list-timers --all --no-legend --no-pager --plain | sed 's/.* //' | sort
