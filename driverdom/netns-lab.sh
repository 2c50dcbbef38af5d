# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Hosts, routers and segments in network namespaces, for tests and for trying things out. Sourced, not run.
#
#     host h1 192.0.2.11        namespace with the device "uplink", plugged into the underlay switch; its tree, its driverdomd
#     segment h1 blue 5001 192.0.2.12
#     router r1 h1 blue 1       namespace with "eth0", MAC 02:00:00:00:00:01, 10.0.0.1/24, fd00::1/64 on the segment
#     commit h1                 bump the generation, wait until it is applied
#     on r1 ping ...
#
# All names get the prefix of this process, all is removed when the script exits.

lab=x$$
lab_dir=$(mktemp -d)
: "${DRIVERDOMD:=./driverdomd}" "${VARP:=./varp}"
declare -A daemon_pid generation

need_lab() {
	[[ $(id -u) == 0 ]] || skip "needs root"
	for program in ip tc ping tcpdump socat; do
		command -v $program >/dev/null || skip "needs $program"
	done
	unshare -n true 2>/dev/null || skip "needs network namespaces"
	[[ -r /sys/kernel/btf/vmlinux ]] || skip "needs a kernel with BPF and BTF"
}

skip() { echo "1..0 # SKIP $1"; exit 77; }

lab_end() {
	local status=$? host
	for host in "${!daemon_pid[@]}"; do kill_daemon "$host" KILL; done
	jobs -p | xargs -r kill 2>/dev/null
	wait 2>/dev/null
	ip netns list | awk '{print $1}' | grep "^$lab-" | xargs -r -n1 ip netns del
	mountpoint -q "$lab_dir/bpf" && umount "$lab_dir/bpf" &&
	[[ -z $LAB_KEEP ]] && rm -rf "$lab_dir"
	exit $status
}
trap lab_end EXIT

# Runs a command in a namespace without the mounts of "ip netns exec": pins stay where they are.
on() { local ns=$1; shift; nsenter --net="/run/netns/$lab-$ns" "$@"; }

# The same in the background; $! is the command itself.
spawn() { local ns=$1; shift; nsenter --net="/run/netns/$lab-$ns" "$@" & }

namespace() {
	ip netns add "$lab-$1"
	on "$1" ip link set lo up
}

underlay() {
	mkdir -p "$lab_dir/bpf"
	mount -t bpf bpf "$lab_dir/bpf"
	namespace underlay
	on underlay ip link add switch type bridge
	on underlay ip link set switch up mtu "${1:-1500}"
}

tree_of() { echo "$lab_dir/$1/tree/local/domain/0"; }

host() { # name address
	namespace "$1"
	ip link add uplink netns "$lab-$1" type veth peer name "to-$1" netns "$lab-underlay"
	on underlay ip link set "to-$1" master switch up
	on "$1" ip addr add "$2/24" dev uplink
	on "$1" ip link set uplink up
	mkdir -p "$(tree_of "$1")"
	put "$1" uplink/uplink "$2"
}

# The tree is plain files, each replaced as a whole.
put() { # host path value
	local file; file=$(tree_of "$1")/xebra/net/$2
	mkdir -p "${file%/*}"
	printf '%s\n' "$3" > "${file%/*}/.draft"
	mv "${file%/*}/.draft" "$file"
}

forget() { rm -rf "$(tree_of "$1")/xebra/net/$2"; }
report() { cat "$(tree_of "$1")/data/xebra/net/$2" 2>/dev/null; }

wait_until() { # seconds command...
	local end=$((SECONDS + $1)); shift
	until "$@"; do
		((SECONDS < end)) || return 1
		sleep 0.02
	done
}

applied() { [[ $(report "$1" applied) == "${generation[$1]}" ]]; }

commit() { # host
	generation[$1]=$((${generation[$1]:-0} + 1))
	put "$1" generation "${generation[$1]}"
	wait_until 5 applied "$1" || { echo "# $1: generation ${generation[$1]} is not applied" >&2; return 1; }
}

start_daemon() { # host
	spawn "$1" "$DRIVERDOMD" --tree "dir:$(tree_of "$1")" --pin "$lab_dir/bpf/$1" 2>>"$lab_dir/$1/log"
	daemon_pid[$1]=$!
}

kill_daemon() { # host signal
	{ kill "-$2" "${daemon_pid[$1]}" && wait "${daemon_pid[$1]}"; } 2>/dev/null
	unset "daemon_pid[$1]"
}

segment() { # host name port peers
	put "$1" "segment/$2/port" "$3"
	put "$1" "segment/$2/peers" "$4"
}

# The router's MTU is what an underlay of 1500 leaves; its checksums and segmentation stay partial, as a guest's do.
router() { # name host segment number
	namespace "$1"
	interface "$1" eth0 "$2" "$3" 0 "$4"
}

interface() { # router device host segment net number: 10.0.NET.NUMBER
	local port="p-$1${2#eth0}" mac="02:00:00:00:0$5:0$6"
	ip link add "$port" netns "$lab-$3" type veth peer name "$2" netns "$lab-$1" address "$mac"
	on "$1" ip link set "$2" mtu 1458 up
	on "$1" ip addr add "10.0.$5.$6/24" dev "$2"
	on "$1" ip addr add "fd0$5::$6/64" dev "$2" nodad
	put "$3" "port/$port/segment" "$4"
	put "$3" "port/$port/mac" "$mac"
}

# --- TAP ---
tap_n=0 tap_failed=0
ok() { # description command...
	local what=$1; shift
	tap_n=$((tap_n + 1))
	if "$@" > "$lab_dir/out" 2>&1; then
		echo "ok $tap_n - $what"
	else
		echo "not ok $tap_n - $what"
		sed 's/^/# /' "$lab_dir/out" | tail -15
		tap_failed=1
	fi
}
tap_end() { echo "1..$tap_n"; exit $tap_failed; }
