#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Two virtual networks over two hosts.
#
#            host A                         host B
#     blue.r1 ---- l4 -------------------- blue.r4        blue: a ring of four routers, OSPF
#        | l1                                 | l3
#     blue.r2 ---- l2 -------------------- blue.r3
#      red.r2 ---- l2 --------------------  red.r3        red: the same MAC and IP addresses, never mixed
#
#     two-hosts.sh up        make both, wait until OSPF has converged
#     two-hosts.sh down      remove both
#     two-hosts.sh cut|heal  cut the link blue.l2, let it carry again
#
# XEBRA_A, XEBRA_B   how to run xebra on each host      xebra --host https://a:8443 --cert ...; ssh a xebra; ...
# UNDERLAY_A, _B     the hosts' addresses on the IP network between them
# BACKEND            driver domain that carries the links, made from netdd-a.cfg and netdd-b.cfg; empty: Dom0
# EXAMPLES           where these files are, as XEBRA_A and XEBRA_B see them
set -eu
: "${XEBRA_A:?how to run xebra on host A}" "${XEBRA_B:?how to run xebra on host B}"
UNDERLAY_A=${UNDERLAY_A:-192.0.2.11} UNDERLAY_B=${UNDERLAY_B:-192.0.2.12}
BACKEND=${BACKEND-netdd}
EXAMPLES=${EXAMPLES:-$(dirname "$0")}

a() { $XEBRA_A "$@"; }
b() { $XEBRA_B "$@"; }

# both COMMAND...: on both hosts at once
both() {
	a "$@" &
	b "$@"
	wait $!
}

# segment NAME PORT HOST...: a link between the hosts named, or within the one
segment() {
	case "$3${4-}" in
	ab)
		a segment create "$1" --port "$2" --backend "$BACKEND" --peer "$UNDERLAY_B"
		b segment create "$1" --port "$2" --backend "$BACKEND" --peer "$UNDERLAY_A"
		;;
	*) "$3" segment create "$1" --port "$2" --backend "$BACKEND" ;;
	esac
}

up() {
	if [ -n "$BACKEND" ]; then
		a router create --wait "$EXAMPLES/netdd-a.cfg" &
		b router create --wait "$EXAMPLES/netdd-b.cfg"
		wait $!
	fi
	segment blue.l1 40961 a
	segment blue.l2 40962 a b
	segment blue.l3 40963 b
	segment blue.l4 40964 a b
	segment red.l2 41218 a b
	a router create "$EXAMPLES/blue/r1.cfg" "$EXAMPLES/blue/r2.cfg" "$EXAMPLES/red/r2.cfg" &
	b router create "$EXAMPLES/blue/r3.cfg" "$EXAMPLES/blue/r4.cfg" "$EXAMPLES/red/r3.cfg"
	wait $!
	a router wait --timeout 300 --ospf 4 blue.r1 blue.r2 # two neighbours, each by IPv4 and by IPv6
	b router wait --timeout 300 --ospf 4 blue.r3 blue.r4
	a router wait --timeout 300 --ospf 2 red.r2
	b router wait --timeout 300 --ospf 2 red.r3
	both router list
	both segment list
}

down() {
	a router destroy blue.r1 blue.r2 red.r2 || true
	b router destroy blue.r3 blue.r4 red.r3 || true
	a segment destroy blue.l1 blue.l2 blue.l4 red.l2 || true
	b segment destroy blue.l2 blue.l3 blue.l4 red.l2 || true
	[ -z "$BACKEND" ] || both router destroy "$BACKEND" || true
}

case ${1-} in
up | down) "$1" ;;
cut) both segment down blue.l2 ;;
heal) both segment up blue.l2 ;;
*)
	sed -n '3,20s/^# \{0,1\}//p' "$0" >&2
	exit 2
	;;
esac
