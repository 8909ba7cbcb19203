#!/bin/sh
# Runs inside the chroot of the new root file system, after debootstrap: kernels, GRUB and configuration.
# Environment: MIRROR, PACKAGES, SSH_PUBLIC_KEY.
set -eu
export DEBIAN_FRONTEND=noninteractive LC_ALL=C

cat > /etc/apt/sources.list <<END
deb $MIRROR bookworm main
deb $MIRROR bookworm-updates main
END

# Two kernels unpack 800 MB of modules, most of them for hardware that QEMU does not have. These files of the
# packages are skipped during the build only; the drivers of network cards stay, also of those that are not here.
cat > /etc/dpkg/dpkg.cfg.d/lab <<END
force-unsafe-io
path-exclude=/lib/modules/*/kernel/drivers/gpu/*
path-exclude=/lib/modules/*/kernel/drivers/media/*
path-exclude=/lib/modules/*/kernel/drivers/net/wireless/*
path-exclude=/lib/modules/*/kernel/drivers/staging/*
path-exclude=/lib/modules/*/kernel/drivers/iio/*
path-exclude=/lib/modules/*/kernel/drivers/usb/*
path-exclude=/lib/modules/*/kernel/drivers/isdn/*
path-exclude=/lib/modules/*/kernel/drivers/scsi/*
path-exclude=/lib/modules/*/kernel/sound/*
path-exclude=/usr/share/doc/*
path-exclude=/usr/share/man/*
path-exclude=/usr/share/locale/*
END

echo 'grub-pc grub-pc/install_devices multiselect' | debconf-set-selections
echo 'grub-pc grub-pc/install_devices_empty boolean true' | debconf-set-selections
apt-get update -qq
apt-get install -y -qq --no-install-recommends $PACKAGES initramfs-tools zstd

# A short list instead of MODULES=most: the initrd is 6 MB and unpacks quickly in emulation.
echo 'MODULES=list' > /etc/initramfs-tools/conf.d/lab
printf '%s\n' virtio_pci virtio_blk ext4 > /etc/initramfs-tools/modules
apt-get install -y -qq --no-install-recommends linux-image-amd64 linux-image-rt-amd64 grub-pc
apt-get clean
rm -rf /etc/dpkg/dpkg.cfg.d/lab /var/lib/apt/lists/*

echo hft-lab > /etc/hostname
printf '127.0.0.1 localhost\n127.0.1.1 hft-lab\n' > /etc/hosts
echo 'nameserver 10.0.2.3' > /etc/resolv.conf
echo 'UUID=__ROOT_UUID__ / ext4 errors=remount-ro 0 1' > /etc/fstab
: > /etc/machine-id

# The management card is the one whose MAC ends in 12:34:01. The others play the trading cards: up, with an address of
# their own, because several drivers (igb, e1000e) request their interrupts only when the card is up.
cat > /etc/systemd/network/10-management.network <<END
[Match]
MACAddress=52:54:00:12:34:01
[Network]
Address=10.0.2.15/24
Gateway=10.0.2.2
DNS=10.0.2.3
LinkLocalAddressing=no
END
for number in 2 3 4 5; do
  cat > /etc/systemd/network/20-trading$number.network <<END
[Match]
MACAddress=52:54:00:12:34:0$number
[Link]
RequiredForOnline=no
[Network]
Address=10.10.$number.1/24
LinkLocalAddressing=no
ConfigureWithoutCarrier=yes
END
done

# Drivers of hardware that is here in name only, loaded by alias at every boot: a third of its time in emulation.
for module in intel_rapl_msr isst_if_mbox_msr skx_edac nfit intel_powerclamp ccp kvm_amd kvm_intel ghash_clmulni_intel \
  sha512_ssse3 sha256_ssse3 sha1_ssse3 aesni_intel crct10dif_pclmul crc32_pclmul iTCO_wdt lpc_ich i2c_i801 pcspkr \
  parport_pc psmouse rapl cfg80211; do
  echo "blacklist $module"
done > /etc/modprobe.d/lab.conf

mkdir -p /root/.ssh
echo "$SSH_PUBLIC_KEY" > /root/.ssh/authorized_keys
chmod 700 /root/.ssh
chmod 600 /root/.ssh/authorized_keys
printf 'PermitRootLogin prohibit-password\nUseDNS no\nMaxSessions 100\n' > /etc/ssh/sshd_config.d/lab.conf
passwd -d root

# GRUB_DEFAULT=saved: the lab chooses the stock or the real-time kernel by `grub-set-default`, as on a host with both.
mkdir -p /etc/default
cat > /etc/default/grub <<'END'
GRUB_DEFAULT=saved
GRUB_TIMEOUT=1
GRUB_DISTRIBUTOR=Debian
GRUB_CMDLINE_LINUX_DEFAULT=""
# A late emulated timer makes the kernel panic without no_timer_check ("timer does not work through ... IO-APIC").
# Page table isolation and retpolines cost an emulated CPU more than half of its speed.
GRUB_CMDLINE_LINUX="console=ttyS0,115200 no_timer_check mitigations=off"
GRUB_TERMINAL=serial
GRUB_SERIAL_COMMAND="serial --speed=115200 --unit=0"
GRUB_DISABLE_OS_PROBER=true
END

systemctl enable systemd-networkd ssh
# tuned is here to be compared with and to be found in the way, so it is installed and off; irqbalance is on, as Debian
# leaves it.
systemctl disable tuned
systemctl enable irqbalance
# Timers that change files some minutes after boot would look like changes made by hft.
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer man-db.timer \
  logrotate.timer systemd-tmpfiles-clean.timer; do
  systemctl disable "$unit" 2>/dev/null || true
  systemctl mask "$unit"
done
