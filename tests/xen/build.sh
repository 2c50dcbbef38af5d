# shellcheck shell=bash disable=SC2015,SC2016
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the lab does with packages beside its images: builds the product against
# the libraries of a Xen this machine does not have, and installs what the lab
# itself needs.

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
	set -e -o pipefail
	here=$(dirname "$0")
	# shellcheck source=image.sh
	. "$here/image.sh"
fi

build_packages=(autoconf autoconf-archive automake libtool make pkg-config gcc
	libc6-dev clang llvm bpftool libbpf-dev libxen-dev libvirt-dev libssl-dev
	libevent-dev libjansson-dev libsqlite3-dev libxml2-dev liburing-dev
	libmnl-dev libsystemd-dev libinih-dev libsmartcols-dev
	libcurl4-openssl-dev check perl)

# build_chroot DIR XEN
build_chroot() {
	local bootstrap_hooks=()
	bootstrap_into "$1" "${suite_of[$2]}" "${build_packages[@]}"
}

# build_in_chroot XEN SRC DEST [CONFIGURE_ARG]...: a copy of SRC is built where
# XEN's own libraries are; SRC stays as it is.
build_in_chroot() {
	local root work src=$2 dest=$3
	root=$(cached "build-$1" "$here/build.sh" build_chroot "$1") || exit
	shift 3
	work=$(mktemp -d "$cache/.work-XXXXXX")
	# shellcheck disable=SC2064
	trap "rm -rf --one-file-system '$work'" EXIT
	mkdir -p "$work"/{src,dest} "$dest"
	source_files "$src" | tar -C "$src" --null -T - -c | tar -C "$work/src" -x
	unshare -m --propagation private --pid --fork --kill-child bash -ec '
		mount --bind "$2" "$1/mnt"
		mount -t proc proc "$1/proc"
		mount --rbind /sys "$1/sys"
		mount --rbind /dev "$1/dev"
		exec chroot "$1" bash -ec "
			cd /mnt/src
			[ -x configure ] || autoreconf -fi
			./configure --prefix=/usr --sysconfdir=/etc \
				--localstatedir=/var \"\$@\"
			make -j$(nproc)
			make install DESTDIR=/mnt/dest" bash "${@:3}"' \
		bash "$root" "$work" "$@" || die "the build failed"
	cp -a "$work/dest/." "$dest/"
}

# source_files SRC: what git knows or would add; all of it without git
source_files() {
	git -C "$1" ls-files -z --cached --others --exclude-standard 2>/dev/null ||
		(cd "$1" && find . -type f -print0)
}

# --- the machine the lab runs on ---------------------------------------------

emulator_fits() {
	grep -qs '"igb"' <<<"$(qemu-system-x86_64 -device help 2>/dev/null)"
}

# deps_ensure: QEMU 8 and later have igb; an older Debian takes it from its
# backports.
deps_ensure() {
	local packages=(mmdebstrap busybox-static cpio xz-utils zstd e2fsprogs
		iproute2 procps socat tcpdump) release candidate from=()
	export DEBIAN_FRONTEND=noninteractive
	local get=(apt-get -qq -o DPkg::Lock::Timeout=300)
	if [ "$(dpkg-query -W -f '${db:Status-Status}\n' "${packages[@]}" \
		2>/dev/null | grep -cx installed)" -lt ${#packages[@]} ]; then
		"${get[@]}" update && "${get[@]}" install \
			--no-install-recommends "${packages[@]}" || die "apt failed"
	fi
	emulator_fits && return
	release=$(host_release)
	candidate=$(apt-cache policy qemu-system-x86 |
		sed -n 's/ *Candidate: *//p')
	if dpkg --compare-versions "$candidate" lt 1:8; then
		add_backports "$release"
		from=(-t "$release-backports")
	fi
	"${get[@]}" update && "${get[@]}" install --no-install-recommends \
		"${from[@]}" qemu-system-x86 || die "apt failed"
	emulator_fits || die "this QEMU has no igb device"
}

# add_backports RELEASE: from the mirror that RELEASE itself comes from
add_backports() {
	[ -z "$(apt-get indextargets "Codename: $1-backports")" ] || return 0
	apt-get indextargets --format "deb \$(REPO_URI) $1-backports main" \
		'Created-By: Packages' "Codename: $1" 'Component: main' |
		head -n 1 >/etc/apt/sources.list.d/xebra-lab-backports.list
}

[ "${BASH_SOURCE[0]}" != "$0" ] || "$@"
