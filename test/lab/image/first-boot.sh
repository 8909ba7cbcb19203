#!/bin/sh
# Runs once as root in the new guest, which QEMU booted with a kernel of the image directly: what needs the real disk.
set -eu
grub-install --target=i386-pc /dev/vda
update-grub
stock=$(basename "$(ls /boot/vmlinuz-*-amd64 | grep -v -- -rt- | sort -V | tail -n 1)" | sed 's/^vmlinuz-//')
rt=$(basename "$(ls /boot/vmlinuz-*-rt-amd64 | sort -V | tail -n 1)" | sed 's/^vmlinuz-//')
uuid=$(findmnt -n -o UUID /)
entry() {
  echo "gnulinux-advanced-$uuid>gnulinux-$1-advanced-$uuid"
}
# A copy of the environment block for each kernel: the lab puts one of them in place when it makes a disk.
for kind in stock rt; do
  eval "release=\$$kind"
  grub-set-default "$(entry "$release")"
  cp /boot/grub/grubenv "/root/grubenv-$kind"
done
cp /root/grubenv-stock /boot/grub/grubenv
grep -q "gnulinux-$stock-advanced-$uuid" /boot/grub/grub.cfg
grep -q "gnulinux-$rt-advanced-$uuid" /boot/grub/grub.cfg
systemctl start systemd-networkd-wait-online 2>/dev/null || true
sync
