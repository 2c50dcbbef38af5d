# shellcheck shell=bash disable=SC2015,SC2016
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Images of the lab: everything a host boots from, built once from Debian
# packages and kept outside the source tree.
#
#   $cache/xen-4.17-HASH/xen        hypervisor, uncompressed
#                        vmlinuz    dom0 kernel
#                        initrd     finds the root disk and the lab share
#                        dom0.img   ext4 root, used with snapshot=on;
#                                   /usr/lib/xebra-lab/guest: a test guest
#
# HASH is that of this file: a change builds a new image and never alters one
# in use. Call image_ensure; it prints the path it made sure of.

cache=${XEBRA_LAB_CACHE:-/var/cache/xebra-lab}

declare -A suite_of=([4.17]=bookworm [4.20]=trixie)

tool_packages=(xenstore-utils iproute2 kmod udev procps ethtool tcpdump jq
	iputils-ping strace util-linux pciutils e2fsprogs fio bridge-utils
	bird2 socat iperf3 bash-completion bpftool openssl curl)
library_packages=(libevent-2.1-7 libevent-core-2.1-7 libevent-extra-2.1-7
	libevent-openssl-2.1-7 libevent-pthreads-2.1-7 libssl3 libcurl4
	libjansson4 libsqlite3-0 libbpf1 libxml2 liburing2 libmnl0 libsystemd0
	libinih1 libsmartcols1 libvirt0)

# In load order: the initramfs has insmod only.
root_modules=(virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev
	virtio_pci virtio_blk crc16 mbcache jbd2 crc32c_generic libcrc32c ext4
	netfs fscache 9pnet 9pnet_virtio 9p)
guest_modules=(xen-netfront xen-blkfront xen-pcifront igbvf)
# Bulk that no virtual machine here has hardware for.
unused_modules=(sound net/{bluetooth,mac80211,wireless,nfc}
	drivers/{gpu,media,staging,infiniband,isdn,usb,iio,hwmon,comedi,input}
	drivers/{hid,bluetooth,scsi,ata,mmc,mtd,video,platform,mfd,target}
	drivers/net/{wireless,can,usb,phy}
	fs/{ocfs2,gfs2,xfs,btrfs,cifs,smb,ceph,nfs,nfsd,jfs,reiserfs,f2fs,ubifs})

say() { printf '%(%T)T %s\n' -1 "$*" >&2; }
die() { printf 'lab: %s\n' "$*" >&2; exit 1; }

# host_release: codename of the Debian this machine runs.
host_release() { (. /etc/os-release && printf '%s' "$VERSION_CODENAME"); }

# debian_sources SUITE: sources.list lines for SUITE from the mirrors this
# machine's apt uses.
debian_sources() {
	local here uri codename
	here=$(host_release)
	apt-get indextargets --format '$(REPO_URI) $(CODENAME)' \
		'Created-By: Packages' 'Origin: Debian' 'Component: main' |
	sort -u | while read -r uri codename; do
		case $codename in
		"$here"|"$here"-updates|"$here"-security)
			printf 'deb %s %s main\n' "$uri" "${codename/$here/$1}" ;;
		esac
	done
}

# packages_for XEN: dom0's package list. Debian 13 renamed libraries for 64-bit
# time.
packages_for() {
	local p
	printf '%s\n' "xen-utils-$1" "${tool_packages[@]}"
	for p in "${library_packages[@]}"; do
		case $1:$p in
		4.17:*) printf '%s\n' "$p" ;;
		*:libevent*|*:libssl3|*:libcurl4) printf '%s\n' "${p}t64" ;;
		*) printf '%s\n' "$p" ;;
		esac
	done
}

# cached NAME PROGRAM ARG...: path of the directory NAME-HASH in the cache;
# PROGRAM makes it first where it is not there yet. HASH is PROGRAM's; nothing
# under the final name is ever half built.
cached() {
	local name=$1 program=$2 dir tmp start=$SECONDS; shift 2
	dir=$cache/$name-$(sha256sum <"$program" | cut -c1-12)
	mkdir -p "$cache"
	exec 9>"$cache/lock"
	flock 9
	if [ ! -d "$dir" ]; then
		say "building $dir (once; some minutes)"
		tmp=$(mktemp -d "$cache/.build-XXXXXX")
		if ! bash "$program" "$1" "$tmp" "${@:2}" \
			</dev/null >"$tmp.log" 2>&1 9>&-; then
			tail -n 20 "$tmp.log" >&2
			rm -rf --one-file-system "$tmp"
			die "building $dir failed, full log in $tmp.log"
		fi
		mv "$tmp" "$dir"
		rm -f "$tmp.log"
		say "built $dir in $((SECONDS - start)) s"
	fi
	exec 9>&-
	printf '%s\n' "$dir"
}

image_ensure() { cached "xen-$1" "$here/image.sh" build_image "$1"; }

# bootstrap_into DIR SUITE PACKAGE...
# Mounts happen in a namespace of their own, so that no failure leaves one.
bootstrap_into() {
	local dir=$1 suite=$2 proxy=; shift 2
	eval "$(apt-config shell proxy Acquire::http::Proxy)"
	debian_sources "$suite" |
	unshare -m --propagation private mmdebstrap --mode=root \
		--variant=minbase --format=directory \
		${proxy:+--aptopt="Acquire::http::Proxy \"$proxy\""} \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--include="$(IFS=,; echo "$*")" "${bootstrap_hooks[@]}" \
		"$suite" "$dir" -
}

# build_image DIR XEN
build_image() {
	local dir=$1 xen=$2 root=$1/root debs=$1/root/var/tmp/debs kernel
	local bootstrap_hooks=(--customize-hook="$(download_hook "$xen")")
	mapfile -t packages < <(packages_for "$xen")
	bootstrap_into "$root" "${suite_of[$xen]}" "${packages[@]}"
	dpkg -x "$debs"/linux-image-*.deb "$debs/x"
	dpkg -x "$debs"/xen-hypervisor-*.deb "$debs/x"
	zcat "$debs/x/boot/xen-$xen-amd64.gz" >"$dir/xen"
	cp "$debs"/x/boot/vmlinuz-* "$dir/vmlinuz"
	install_modules "$debs/x" "$root"
	rm -rf --one-file-system "$debs"
	kernel=$(ls "$root/lib/modules")
	root_initramfs "$root/lib/modules/$kernel" >"$dir/initrd"
	mkdir -p "$root"/{lab,usr/lib/xebra-lab/guest}
	uncompressed_kernel "$dir/vmlinuz" >"$root/usr/lib/xebra-lab/guest/kernel"
	guest_initramfs "$root/lib/modules/$kernel" \
		>"$root/usr/lib/xebra-lab/guest/initramfs"
	truncate -s 4G "$dir/dom0.img"
	mke2fs -q -t ext4 -m 0 -d "$root" "$dir/dom0.img"
	rm -rf --one-file-system "$root"
	chmod 755 "$dir"
}

# download_hook XEN: kernel and hypervisor are fetched, not installed: their
# maintainer scripts want a boot loader.
download_hook() {
	cat <<-END
	chroot "\$1" sh -ec 'mkdir -p /var/tmp/debs; cd /var/tmp/debs
	kernel=\$(apt-cache depends linux-image-amd64 | sed -n "s/.*Depends: *//p" |
		grep -m1 ^linux-image)
	apt-get download "\$kernel" xen-hypervisor-$1-amd64'
	END
}

# install_modules UNPACKED ROOT
install_modules() {
	local from part
	from=$(find "$1"/lib/modules "$1"/usr/lib/modules -mindepth 1 \
		-maxdepth 1 2>/dev/null || true)
	for part in "${unused_modules[@]}"; do
		rm -rf --one-file-system "$from/kernel/$part"
	done
	mkdir -p "$2/usr/lib/modules"
	cp -a "$from" "$2/usr/lib/modules/"
	chroot "$2" depmod "${from##*/}"
}

# uncompressed_kernel BZIMAGE: the ELF image inside. Where it lies is in the
# setup header (Linux Documentation/arch/x86/boot.rst: setup_sects at 0x1f1,
# payload_offset and payload_length at 0x248).
uncompressed_kernel() {
	local sectors offset length unpack
	sectors=$(od -An -tu1 -j $((0x1f1)) -N1 "$1")
	read -r offset length < <(od -An -tu4 -j $((0x248)) -N8 "$1")
	offset=$(((sectors + 1) * 512 + offset))
	case $(od -An -tx1 -j "$offset" -N4 "$1") in
	' fd 37 7a 58') unpack='xz -dc --single-stream' ;;
	' 28 b5 2f fd') unpack='zstd -dc' ;;
	*) echo "kernel payload is neither xz nor zstd"; return 1 ;;
	esac
	# the last four bytes are the unpacked size, appended by the kernel build
	dd if="$1" bs=1M status=none iflag=skip_bytes,count_bytes \
		skip="$offset" count=$((length - 4)) | $unpack
}

# copy_modules MODULES_DIR TO NAME...: copies, unpacked, NAME.ko and prints in
# which order to load; names built into this kernel are left out.
copy_modules() {
	local from=$1 to=$2 name ko; shift 2
	for name; do
		ko=$(find "$from" -name "$name.ko*" -print -quit)
		case $ko in
		'') continue ;;
		*.xz) xz -dc "$ko" >"$to/$name.ko" ;;
		*) cp "$ko" "$to/$name.ko" ;;
		esac
		printf '%s\n' "$name"
	done
}

# pack_initramfs DIR: as a gzipped newc archive on standard output.
pack_initramfs() {
	mkdir -p "$1"/{bin,dev,proc,sys,run,tmp,root}
	cp /bin/busybox "$1/bin/busybox"
	ln -s busybox "$1/bin/sh"
	chmod 755 "$1/init"
	(cd "$1" && find . | cpio --quiet -o -H newc | gzip -1)
}

# root_initramfs MODULES_DIR
root_initramfs() {
	local tmp order
	tmp=$(mktemp -d)
	order=$(copy_modules "$1" "$tmp" "${root_modules[@]}")
	cat >"$tmp/init" <<-END
	#!/bin/busybox sh
	/bin/busybox --install -s /bin
	mount -t devtmpfs dev /dev
	mount -t proc proc /proc
	for m in ${order//$'\n'/ }; do insmod /\$m.ko; done
	mount -t ext4 /dev/vda /root
	mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000 lab /root/lab
	umount /proc /dev
	exec switch_root /root /lab/agent
	END
	pack_initramfs "$tmp"
	rm -rf "$tmp"
}

# guest_initramfs MODULES_DIR: a test guest. Its kernel command line gives
# addr=ADDRESS/LEN for its first interface; it then says "guest ready" and runs
# a shell on the console.
guest_initramfs() {
	local tmp order
	tmp=$(mktemp -d)
	order=$(copy_modules "$1" "$tmp" "${guest_modules[@]}")
	cat >"$tmp/init" <<-END
	#!/bin/busybox sh
	/bin/busybox --install -s /bin
	mount -t devtmpfs dev /dev
	mount -t proc proc /proc
	mount -t sysfs sys /sys
	for m in ${order//$'\n'/ }; do insmod /\$m.ko; done
	export \$(tr ' ' '\\n' </proc/cmdline | grep '^addr=')
	ip link set lo up
	for i in \$(seq 100); do
		[ -z "\$addr" ] || [ -e /sys/class/net/eth0 ] && break
		sleep 0.1
	done
	[ -z "\$addr" ] || { ip addr add "\$addr" dev eth0; ip link set eth0 up; }
	echo "guest ready"
	while :; do setsid cttyhack sh; done
	END
	pack_initramfs "$tmp"
	rm -rf "$tmp"
}

# As a program, this file builds: the first command that fails ends it.
if [ "${BASH_SOURCE[0]}" = "$0" ]; then
	set -e -o pipefail
	"$@"
fi
