# shellcheck shell=bash disable=SC2016
# SPDX-License-Identifier: GPL-2.0-or-later
#
# For scenarios and the demo: hosts a and b ready for examples/two-hosts.sh. LAB and LAB_NAME are set.

examples=/usr/share/xebra/examples # in dom0
export XEBRA_A="$LAB --name $LAB_NAME exec -n a -- xebra" XEBRA_B="$LAB --name $LAB_NAME exec -n b -- xebra"
export EXAMPLES=$examples BACKEND=netdd UNDERLAY_A=192.0.2.11 UNDERLAY_B=192.0.2.12

# xebrad_start HOST: returns when it answers
xebrad_start() {
	on "$1" bash -c 'setsid xebrad >>/var/log/xebrad.log 2>&1 </dev/null & echo $! >/run/xebrad.pid
		for ((i = 0; i < 300; i++)); do
			xebra router list >/dev/null 2>&1 && exit 0
			kill -0 "$(cat /run/xebrad.pid)" 2>/dev/null || break
			sleep 0.1
		done
		cat /var/log/xebrad.log; exit 1'
}

# host_ready HOST: a VF to give away, and xebrad
host_ready() { vf_create "$1" 1 && xebrad_start "$1"; }

# in_router HOST ROUTER COMMAND
in_router() { on "$1" "$examples/router-run" "$2" "$3"; }

state_of() { on "$1" xebra router show --format json "$2" | sed -n 's/^  "state": "\(.*\)",\{0,1\}$/\1/p'; }
is_state() { [ "$(state_of "$1" "$2")" = "$3" ]; }
id_of() { on "$1" xebra router show --format json "$2" | sed -n 's/^  "id": \([0-9]*\),\{0,1\}$/\1/p'; }
