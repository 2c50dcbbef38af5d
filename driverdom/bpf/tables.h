/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables through which driverdomd tells the BPF programs what to do, pinned as DIR/v<TABLES_VERSION>/<name>:
 *
 *    netdevs    hash   ifindex -> NETDEV_PORT | slot, NETDEV_UPLINK | slot
 *      |
 *      +--> ports      array[slot]     netdev, segment, pinned MAC        a vif, or the host's end of a netns router's veth
 *      +--> uplinks    array[slot]     netdev, outer address
 *    segments   array[VN ID]           state, slots of its local ports, slots of the hosts it reaches
 *    hosts      array[slot]            outer address                      one entry however many segments share it
 *    host_slots hash   outer address -> slot
 *    stats      per-CPU hash VN ID     counters; those of no segment at 0
 *    names      hash   VN ID -> name   for people only: no program reads it
 *    about      array[1]               the network namespace whose ifindexes these are
 *
 * The arrays are mapped into driverdomd, which stores whole words while programs read, so a layout must allow this:
 *   - What must be seen together sits in one 64-bit word (netdev and segment of a port).
 *   - A slot is believed only after its word says so: a port's segment is compared before it is sent to.
 *   - A segment has two lists of members and a head that says which is in force.
 *   - The slot of a host is given to another one only after a grace period; an entry of `segments` belongs to its VN ID
 *     for ever. So what a program still reads during a change is an older truth about the same segment.
 * Spare words are zero and stay so until a later version gives them a meaning; a change that does not fit them raises
 * TABLES_VERSION, which is part of the directory name: old and new programs never share tables.
 */
#ifndef XEBRA_TABLES_H
#define XEBRA_TABLES_H

#include <linux/types.h>

enum {
	TABLES_VERSION = 1,
	TABLE_SEGMENTS = 65536,
	TABLE_PORTS = 4096,
	TABLE_HOSTS = 4096,
	TABLE_UPLINKS = 16,
	TABLE_NETDEVS = TABLE_PORTS + TABLE_UPLINKS,
	SEGMENT_PORTS_MAX = 32,
	SEGMENT_PEERS_MAX = 32,
	SEGMENT_NAME_SIZE = 65,
};

enum { NETDEV_PORT = 1 << 16, NETDEV_UPLINK = 2 << 16, NETDEV_SLOT = 0xffff };

struct about_entry {
	__u64 netns_cookie; /* SO_NETNS_COOKIE, unique while the machine runs; 0: new tables */
	__u64 spare[7];
};

/* An outer address in network order; IPv4 as ::ffff:a.b.c.d (RFC 4291, section 2.5.5.2). */
struct address {
	__be32 word[4];
};

/* where: ifindex << 32 | VN ID << 16 | PORT_* flags; 0: a free slot. guard: PORT_PINNED | MAC, or 0. */
enum { PORT_USED = 1 };
#define PORT_PINNED (1ULL << 48)

struct port_entry {
	__u64 where;
	__u64 guard;
	__u64 spare[6];
};

static inline __u64 port_where(__u32 ifindex, __u16 segment)
{
	return (__u64)ifindex << 32 | (__u64)segment << 16 | PORT_USED;
}

static inline __u32 port_ifindex(__u64 where)
{
	return where >> 32;
}

static inline __u16 port_segment(__u64 where)
{
	return where >> 16 & 0xffff;
}

enum { UPLINK_USED = 1 };

struct uplink_entry {
	__u32 ifindex;
	__u32 flags;
	struct address address;
	__u64 spare[5];
};

enum { HOST_USED = 1 };

struct host_entry {
	struct address address;
	__u32 flags;
	__u32 spare32;
	__u64 spare[5];
};

/*
 * head: SEGMENT_* flags (8 bits) | index of the list in force (8) | n_ports (8) | n_peers (8) | mtu (16) | 0 (16).
 * A change writes the list that is not in force, then the head; one store switches over, so that no frame sees half of
 * it. The list left behind is not written again before a grace period is over.
 */
enum { SEGMENT_USED = 1, SEGMENT_DOWN = 2 };

struct segment_list {
	__u16 ports[SEGMENT_PORTS_MAX]; /* slots */
	__u16 peers[SEGMENT_PEERS_MAX]; /* slots of hosts */
};

struct segment_entry {
	__u64 head;
	__u64 spare[3];
	struct segment_list lists[2];
};

/* mtu: inner, without the Ethernet header. */
static inline __u64 segment_head(__u8 flags, __u8 list, __u8 n_ports, __u8 n_peers, __u16 mtu)
{
	return flags | (__u64)list << 8 | (__u64)n_ports << 16 | (__u64)n_peers << 24 | (__u64)mtu << 32;
}

static inline __u8 segment_flags(__u64 head)
{
	return head & 0xff;
}

static inline __u8 segment_list_index(__u64 head)
{
	return head >> 8 & 1;
}

static inline __u8 segment_n_ports(__u64 head)
{
	return head >> 16 & 0xff;
}

static inline __u8 segment_n_peers(__u64 head)
{
	return head >> 24 & 0xff;
}

static inline __u16 segment_mtu(__u64 head)
{
	return head >> 32 & 0xffff;
}

/* Why a frame was dropped: identifier, name that people see, what it means. New ones go to the end. */
#define DROPS(X)                                                                                   \
	X(NO_PORT, "no-port", "came from a network device that is no port")                            \
	X(NO_SEGMENT, "no-segment", "its port is on no segment")                                       \
	X(LINK_DOWN, "link-down", "the segment's state is down")                                       \
	X(SHORT, "short", "too short for an Ethernet frame, or cut on its way")                        \
	X(FORGED_MAC, "forged-mac", "its source MAC is not the one pinned to its port")                \
	X(NOWHERE, "nowhere", "the segment has no other port and no peer")                             \
	X(TOO_BIG, "too-big", "larger than the uplink carries: lower the MTU inside")                  \
	X(NO_ROUTE, "no-route", "this host has no route to the peer")                                  \
	X(NO_NEIGHBOUR, "no-neighbour", "the next hop to the peer does not answer ARP")                \
	X(NO_UPLINK, "no-uplink", "the route to the peer leads out of a device that is no uplink")     \
	X(TAGS, "tags", "more than one VLAN tag")                                                      \
	X(NO_ROOM, "no-room", "a tunnel inside left its segmentation to the port")                     \
	X(NOT_SENT, "not-sent", "a network device did not take a copy")                                \
	X(NOT_A_PEER, "not-a-peer", "its outer source is no peer of the segment")                      \
	X(FRAGMENT, "fragment", "an outer fragment: the underlay has a smaller MTU inside")            \
	X(NOT_HERE, "not-here", "for a MAC address that no port here has")

#define DROP_ENUM(id, name, meaning) DROP_##id,
enum drop { DROPS(DROP_ENUM) N_DROPS };
#undef DROP_ENUM

enum { STATS_DROPS = 28 };

/* tx: frames that ports of this host sent into the segment; rx: frames from peers that reached a port here. */
struct segment_stats {
	__u64 tx_packets;
	__u64 tx_bytes;
	__u64 rx_packets;
	__u64 rx_bytes;
	__u64 dropped[STATS_DROPS];
};

#endif
