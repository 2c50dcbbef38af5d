# shellcheck shell=bash disable=SC2016
# SPDX-License-Identifier: GPL-2.0-or-later
#
# For scenarios: a scenario is an executable bash script that sources this file
# after saying in a comment which lab it wants, with the options of `lab up`:
#
#   # lab: hosts=2 no-blkback
#
#   . "$(dirname "$0")/../lib.sh"
#   check "dom0 sees itself" on a xl list 0
#   finish
#
# It is run by `lab test`, in a lab that is up. Results are lines "ok - text"
# and "not ok - text"; `finish` turns them into the exit code. Exit 77 (`skip`)
# says that this machine cannot answer.

: "${LAB:?run me with: lab test ${0##*/}}" "${LAB_NAME:?}"

uplink=enp1s0                          # each dom0's SR-IOV card
guest_files=/usr/lib/xebra-lab/guest   # kernel and initramfs of a small guest

# on HOST COMMAND [ARG]...: run in dom0 of HOST
on() { "$LAB" --name "$LAB_NAME" exec "$1" -- "${@:2}"; }

# underlay COMMAND...: run beside the hosts, on the network between them
underlay() { "$LAB" --name "$LAB_NAME" underlay -- "$@"; }

# results, clean-up, waiting: ok, check, refuses, fails, skip, finish, defer, wait_until
# shellcheck source=../lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

# need HOST PROGRAM: skip where the product is not installed
need() { on "$1" sh -c 'command -v "$1"' sh "$2" >/dev/null || skip "no $2"; }

# --- virtual functions -------------------------------------------------------

# vf_create HOST N: N VFs of the uplink, none of them bound to a driver
vf_create() {
	vf_destroy "$1"
	defer vf_destroy "$1"
	on "$1" bash -ec '
		cd /sys/class/net/$1/device
		echo $2 >sriov_numvfs
		for ((i = 0; i < 100; i++)); do
			[ ! -e virtfn$(($2 - 1)) ] || exit 0
			sleep 0.1
		done
		exit 1' bash "$uplink" "$2"
}

# vf_destroy HOST: all its VFs; guests that hold one must be gone
vf_destroy() {
	on "$1" bash -c '
		cd /sys/class/net/$1/device
		for vf in virtfn*; do
			[ ! -e "$vf/driver" ] || xl pci-assignable-remove \
				"$(basename "$(readlink "$vf")")"
		done
		echo 0 >sriov_numvfs' bash "$uplink"
}

# vf_assignable HOST INDEX: makes a VF assignable, prints its PCI address
vf_assignable() {
	on "$1" bash -ec '
		bdf=$(basename "$(readlink /sys/class/net/$1/device/virtfn$2)")
		xl pci-assignable-add "$bdf" >&2
		echo "${bdf#0000:}"' bash "$uplink" "$2"
}

# --- small guests ------------------------------------------------------------

# guest_start HOST NAME ADDRESS/LEN [LINE]...: a PV guest of 128 MB. ADDRESS is
# for its first interface, "" for none; LINEs are added to its configuration.
guest_start() {
	local host=$1 name=$2 address=$3; shift 3
	printf '%s\n' "name='$name'" "memory=128" "kernel='$guest_files/kernel'" \
		"ramdisk='$guest_files/initramfs'" "on_crash='destroy'" \
		"extra='console=hvc0 mitigations=off quiet addr=$address'" "$@" |
		on "$host" sh -c 'cat >"/run/$1.cfg"; xl create -q "/run/$1.cfg"' \
			sh "$name"
	defer on "$host" xl destroy "$name"
}

# guest_ready HOST NAME: waits for its "guest ready"
guest_ready() { guest_says "$1" "$2" 180 '^guest ready'; }

# guest_says HOST NAME SECONDS PATTERN: waits for a line on its console
guest_says() {
	on "$1" timeout "$3" sh -c 'until grep -q "$2" \
		"/var/log/xen/console/guest-$1.log"; do sleep 0.2; done' \
		sh "$2" "$4" || {
		on "$1" tail -n 20 "/var/log/xen/console/guest-$2.log"
		return 1
	}
}

# guest_run HOST NAME SECONDS COMMAND: types COMMAND into the guest's console;
# prints what the console showed, succeeds if COMMAND did
guest_run() {
	on "$1" bash -c '
		log=/var/log/xen/console/guest-$1.log mark=end$RANDOM$RANDOM
		from=$(($(stat -c %s "$log") + 1))
		tty=$(xenstore-read /local/domain/$(xl domid "$1")/console/tty)
		echo "$3; echo $mark=\$?" >"$tty"
		timeout "$2" bash -c "until tail -c +$from $log |
			grep -q $mark=[0-9]; do sleep 0.1; done" || exit 124
		tail -c +$from "$log" | tr -d "\r"
		tail -c +$from "$log" | grep -q "$mark=0"' bash "${@:2}"
}
