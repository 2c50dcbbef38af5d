// SPDX-License-Identifier: GPL-2.0-only
/*
 * The data plane: two programs at TC ingress (clsact), both in every host's kernel.
 *
 *                     +-------------------------- this host --------------------------+
 *    guest A ==vif==> | xebra_out ---- the other local ports of the segment ----vif==>| guest B
 *                     |     |                                                         |
 *                     |     +-- wrap (MAC-in-UDP), one copy to each peer --> uplink ==|==> underlay
 *                     |                                                               |
 *    guest A <==vif== | xebra_in <-- strip <-- a peer's frame for a segment -- uplink<|=== underlay
 *                     |     |                                                         |
 *                     |     +-- anything else ---> the host's own stack, untouched    |
 *                     +---------------------------------------------------------------+
 *
 * Rules. The segment of a frame from a guest follows from the netdev alone, never from the frame; the one of a frame
 * from the underlay from its UDP port, and only if its sender is a peer of that segment. Frames from peers never go to
 * peers. Nothing that enters at a port ever reaches the host's stack: whatever is not forwarded is dropped and counted.
 * One destination is a redirect, several are a clone each, the last of them the frame itself.
 *
 * Kernel 6.1 and clang 14 are the oldest that must take it.
 */
#include <stdbool.h>

#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "tables.h"
#include "wire.h"

enum { AF_INET = 2, IFINDEX_LOOPBACK = 1, EINVAL = 22 };

/* Linux 6.3; older kernels answer -EINVAL. */
enum { ADJ_ROOM_DECAP_L3_IPV6 = 1 << 8 };

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, TABLE_NETDEVS);
	__type(key, __u32);
	__type(value, __u32);
} netdevs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct about_entry);
} about SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, TABLE_PORTS);
	__type(key, __u32);
	__type(value, struct port_entry);
} ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, TABLE_UPLINKS);
	__type(key, __u32);
	__type(value, struct uplink_entry);
} uplinks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, TABLE_SEGMENTS);
	__type(key, __u32);
	__type(value, struct segment_entry);
} segments SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, TABLE_HOSTS);
	__type(key, __u32);
	__type(value, struct host_entry);
} hosts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, TABLE_HOSTS);
	__type(key, struct address);
	__type(value, __u32);
} host_slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, TABLE_SEGMENTS);
	__type(key, __u32);
	__type(value, struct segment_stats);
} stats SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, TABLE_SEGMENTS);
	__type(key, __u32);
	__type(value, char[SEGMENT_NAME_SIZE]);
} names SEC(".maps");

/* --- counting --- */

static __always_inline struct segment_stats *stats_of(__u32 vn_id)
{
	struct segment_stats *own = bpf_map_lookup_elem(&stats, &vn_id);
	__u32 none = 0;

	return own ? own : bpf_map_lookup_elem(&stats, &none);
}

static __always_inline void count_drop(__u32 vn_id, enum drop why)
{
	struct segment_stats *counters = stats_of(vn_id);

	if (counters)
		counters->dropped[why]++;
}

static __always_inline int drop(__u32 vn_id, enum drop why)
{
	count_drop(vn_id, why);
	return TC_ACT_SHOT;
}

/* --- looking up --- */

/* The first `size` (constant) bytes of the frame, made linear; NULL if it has fewer. Frees earlier packet pointers. */
static __always_inline void *head(struct __sk_buff *skb, __u32 size)
{
	if ((void *)(long)skb->data + size > (void *)(long)skb->data_end && bpf_skb_pull_data(skb, size) < 0)
		return NULL;
	void *start = (void *)(long)skb->data;
	return start + size > (void *)(long)skb->data_end ? NULL : start;
}

static __always_inline __u32 slot_of(__u32 ifindex, __u32 kind, __u32 *slot)
{
	__u32 *entry = bpf_map_lookup_elem(&netdevs, &ifindex);

	if (!entry || !(*entry & kind))
		return 0;
	*slot = *entry & NETDEV_SLOT;
	return kind;
}

static __always_inline struct uplink_entry *uplink_of(__u32 ifindex)
{
	__u32 slot;

	if (!slot_of(ifindex, NETDEV_UPLINK, &slot))
		return NULL;
	struct uplink_entry *uplink = bpf_map_lookup_elem(&uplinks, &slot);
	return uplink && uplink->ifindex == ifindex ? uplink : NULL;
}

/* The local ports a frame goes to: all that accept it, or the one whose pinned MAC it is for. */
struct locals {
	__u64 dst; /* MAC */
	__u32 vn_id;
	__u32 from;    /* ifindex the frame came from */
	__u32 n_ports; /* to look at */
	__u32 n;
	__u32 last; /* ifindex of the last one */
	__u32 only; /* ifindex of the one it is for; 0: none */
};

/* Does the port in `slot` take this frame? Its ifindex, or 0. *mine: it is for this port and no other. */
static __always_inline __u32 accepts(const struct locals *locals, __u32 slot, bool *mine)
{
	struct port_entry *port = bpf_map_lookup_elem(&ports, &slot);

	if (!port)
		return 0;
	__u64 where = *(volatile __u64 *)&port->where, guard = *(volatile __u64 *)&port->guard;
	__u32 ifindex = port_ifindex(where);
	if (!where || port_segment(where) != locals->vn_id || ifindex == locals->from)
		return 0;
	if (!(guard & PORT_PINNED) || locals->dst & WIRE_GROUP_BIT)
		return ifindex;
	*mine = guard == (PORT_PINNED | locals->dst);
	return *mine ? ifindex : 0;
}

/* Not inlined: the verifier then looks at it once, whatever the callers know. */
__attribute__((noinline)) int find_locals(const struct segment_list *list, struct locals *locals)
{
	if (!list || !locals)
		return 0;
	for (__u32 i = 0; i < SEGMENT_PORTS_MAX && i < locals->n_ports; i++) {
		bool mine = false;
		__u32 ifindex = accepts(locals, list->ports[i], &mine);
		if (!ifindex)
			continue;
		locals->last = ifindex;
		if (mine) {
			locals->only = ifindex;
			locals->n = 1;
			return 0;
		}
		locals->n++;
	}
	return 0;
}

/* Sends a clone to every local port that takes the frame, except to `spared` (0: to all of them). */
__attribute__((noinline)) int clone_to_locals(struct __sk_buff *skb, const struct segment_list *list,
					      const struct locals *locals, __u32 spared)
{
	if (!list || !locals)
		return 0;
	for (__u32 i = 0; i < SEGMENT_PORTS_MAX && i < locals->n_ports; i++) {
		bool mine = false;
		__u32 ifindex = accepts(locals, list->ports[i], &mine);
		if (ifindex && ifindex != spared && bpf_clone_redirect(skb, ifindex, 0) < 0)
			count_drop(locals->vn_id, DROP_NOT_SENT);
	}
	return 0;
}

/* --- guest to underlay --- */

/* A frame being wrapped: what stays the same for all peers. */
struct wrapping {
	struct wire_ethernet inner;
	struct wire_tag tag; /* the VLAN tag that was beside the frame, and the type after it */
	__u16 pad;           /* no hole: Linux 6.1 refuses to pass unwritten stack */
	__u32 vn_id;
	__u32 flow;
	__u32 tagged;
};

/*
 * Makes room for the outer header and, if there is one, the inner VLAN tag. For what TCP/IP stacks send, adjust_room
 * tells the kernel where the inner headers are, so that segmentation and checksums left for later come out right. It
 * takes IP only, and no frame that already is a tunnel's for the kernel; a plain frame of that kind is just pushed down.
 */
static __always_inline long make_room(struct __sk_buff *skb, const struct wrapping *wrapping)
{
	const __u64 flags = BPF_F_ADJ_ROOM_FIXED_GSO | BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 | BPF_F_ADJ_ROOM_ENCAP_L4_UDP |
			    BPF_F_ADJ_ROOM_ENCAP_L2_ETH;
	long r;

	if (skb->len < WIRE_INNER_MIN && bpf_skb_change_tail(skb, WIRE_INNER_PADDED, 0) < 0)
		return -1;
	if (wrapping->tagged)
		r = bpf_skb_adjust_room(skb, WIRE_OUTER + WIRE_TAG, BPF_ADJ_ROOM_MAC,
					flags | BPF_F_ADJ_ROOM_ENCAP_L2(WIRE_ETHERNET + WIRE_TAG));
	else
		r = bpf_skb_adjust_room(skb, WIRE_OUTER, BPF_ADJ_ROOM_MAC,
					flags | BPF_F_ADJ_ROOM_ENCAP_L2(WIRE_ETHERNET));
	if (r == 0 || skb->gso_size)
		return r;
	return bpf_skb_change_head(skb, WIRE_OUTER + (wrapping->tagged ? WIRE_TAG : 0), 0);
}

/* The VLAN tag that the kernel keeps beside the frame becomes part of it. A second tag would take its place there. */
static __always_inline long take_tag(struct __sk_buff *skb, struct wrapping *wrapping)
{
	wrapping->tagged = skb->vlan_present;
	if (!wrapping->tagged)
		return 0;
	wrapping->tag = (struct wire_tag){ .tci = bpf_htons(skb->vlan_tci), .type = wrapping->inner.type };
	wrapping->inner.type = skb->vlan_proto;
	if (bpf_skb_vlan_pop(skb) < 0 || skb->vlan_present)
		return -1;
	return 0;
}

static __always_inline long store_headers(struct __sk_buff *skb, const struct wire_outer *outer,
					  const struct wrapping *wrapping)
{
	struct {
		struct wire_outer outer;
		struct wire_ethernet inner;
		struct wire_tag tag;
	} __attribute__((packed, aligned(2))) all = { *outer, wrapping->inner, wrapping->tag };

	if (wrapping->tagged)
		return bpf_skb_store_bytes(skb, 0, &all, sizeof all, 0);
	return bpf_skb_store_bytes(skb, 0, &all, WIRE_HEAD, 0);
}

static __always_inline enum drop no_way(long fib_result)
{
	switch (fib_result) {
	case BPF_FIB_LKUP_RET_NO_NEIGH:
		return DROP_NO_NEIGHBOUR;
	case BPF_FIB_LKUP_RET_FRAG_NEEDED:
		return DROP_TOO_BIG;
	default:
		return DROP_NO_ROUTE;
	}
}

/*
 * Writes the outer header for the peer in `slot` into the room made; returns the ifindex to send it to, or 0 (counted).
 * The route is looked up as for a packet of this host (input device lo, whose `forwarding` driverdomd switches on).
 */
__attribute__((noinline)) __u32 direct(struct __sk_buff *skb, const struct wrapping *wrapping, __u32 slot)
{
	if (!wrapping)
		return 0;
	struct host_entry *host = bpf_map_lookup_elem(&hosts, &slot);
	if (!host || !(host->flags & HOST_USED))
		return 0;
	__be32 peer = host->address.word[3];

	struct bpf_fib_lookup fib = {
		.family = AF_INET,
		.l4_protocol = WIRE_PROTOCOL_UDP,
		.dport = bpf_htons(wrapping->vn_id),
		.ifindex = IFINDEX_LOOPBACK,
		.ipv4_dst = peer,
	};
	long r = bpf_fib_lookup(skb, &fib, sizeof fib, 0);
	if (r != BPF_FIB_LKUP_RET_SUCCESS) {
		count_drop(wrapping->vn_id, no_way(r));
		return 0;
	}
	struct uplink_entry *uplink = uplink_of(fib.ifindex);
	if (!uplink) {
		count_drop(wrapping->vn_id, DROP_NO_UPLINK);
		return 0;
	}
	__u32 mtu = 0;
	if (bpf_check_mtu(skb, fib.ifindex, &mtu, 0, BPF_MTU_CHK_SEGS) != 0) {
		count_drop(wrapping->vn_id, DROP_TOO_BIG);
		return 0;
	}
	struct wire_outer outer;
	__builtin_memcpy(outer.ethernet.dst, fib.dmac, ETH_ALEN);
	__builtin_memcpy(outer.ethernet.src, fib.smac, ETH_ALEN);
	wire_write(&outer, uplink->address.word[3], peer, wrapping->vn_id, wrapping->flow, skb->len - WIRE_ETHERNET);
	if (store_headers(skb, &outer, wrapping) < 0) {
		count_drop(wrapping->vn_id, DROP_NO_ROOM);
		return 0;
	}
	return fib.ifindex;
}

/* Wraps the frame and sends it to every peer of the segment; it is used up. */
static __always_inline int send_to_peers(struct __sk_buff *skb, const struct segment_list *list, __u32 n_peers,
					 const struct wire_ethernet *inner, __u32 vn_id)
{
	struct wrapping wrapping = { .inner = *inner, .vn_id = vn_id, .flow = bpf_get_hash_recalc(skb) };

	if (take_tag(skb, &wrapping) < 0)
		return drop(vn_id, DROP_TAGS);
	if (make_room(skb, &wrapping) < 0)
		return drop(vn_id, DROP_NO_ROOM);
	for (__u32 i = 0; i < SEGMENT_PEERS_MAX && i < n_peers; i++) {
		__u32 uplink = direct(skb, &wrapping, list->peers[i]);
		if (uplink && i + 1 == n_peers)
			return bpf_redirect(uplink, 0);
		if (uplink && bpf_clone_redirect(skb, uplink, 0) < 0)
			count_drop(vn_id, DROP_NOT_SENT);
	}
	return TC_ACT_SHOT;
}

SEC("tc")
int xebra_out(struct __sk_buff *skb)
{
	__u32 slot, ifindex = skb->ifindex;

	if (!slot_of(ifindex, NETDEV_PORT, &slot))
		return drop(0, DROP_NO_PORT);
	struct port_entry *port = bpf_map_lookup_elem(&ports, &slot);
	if (!port)
		return drop(0, DROP_NO_PORT);
	__u64 where = *(volatile __u64 *)&port->where, guard = *(volatile __u64 *)&port->guard;
	if (port_ifindex(where) != ifindex)
		return drop(0, DROP_NO_PORT);

	__u32 vn_id = port_segment(where);
	struct segment_entry *segment = bpf_map_lookup_elem(&segments, &vn_id);
	if (!segment)
		return drop(0, DROP_NO_SEGMENT);
	__u64 members = *(volatile __u64 *)&segment->head;
	if (!(segment_flags(members) & SEGMENT_USED))
		return drop(0, DROP_NO_SEGMENT);
	if (segment_flags(members) & SEGMENT_DOWN)
		return drop(vn_id, DROP_LINK_DOWN);
	struct segment_list *list = &segment->lists[segment_list_index(members)];

	struct wire_ethernet *frame = head(skb, WIRE_ETHERNET);
	if (!frame)
		return drop(vn_id, DROP_SHORT);
	struct wire_ethernet inner = *frame;
	__u64 src = wire_mac(inner.src);
	if (src & WIRE_GROUP_BIT || (guard & PORT_PINNED && guard != (PORT_PINNED | src)))
		return drop(vn_id, DROP_FORGED_MAC);

	struct locals locals = {
		.dst = wire_mac(inner.dst), .vn_id = vn_id, .from = ifindex, .n_ports = segment_n_ports(members)
	};
	find_locals(list, &locals);
	__u32 n_peers = locals.only ? 0 : segment_n_peers(members);
	if (locals.n + n_peers == 0)
		return drop(vn_id, DROP_NOWHERE);
	struct segment_stats *counters = stats_of(vn_id);
	if (counters) {
		counters->tx_packets += skb->gso_segs ? skb->gso_segs : 1;
		counters->tx_bytes += skb->len;
	}
	if (locals.n == 1 && n_peers == 0)
		return bpf_redirect(locals.last, 0);
	if (locals.n)
		clone_to_locals(skb, list, &locals, n_peers ? 0 : locals.last);
	return n_peers ? send_to_peers(skb, list, n_peers, &inner, vn_id) : bpf_redirect(locals.last, 0);
}

/* --- underlay to guest --- */

static __always_inline bool is_peer(const struct segment_list *list, __u32 n_peers, __be32 src)
{
	struct address address = { .word = { 0, 0, bpf_htonl(0xffff), src } };
	__u32 *slot = bpf_map_lookup_elem(&host_slots, &address);

	if (!slot)
		return false;
	for (__u32 i = 0; i < SEGMENT_PEERS_MAX && i < n_peers; i++)
		if (list->peers[i] == *slot)
			return true;
	return false;
}

/*
 * Removes all but the inner frame, whose Ethernet header takes the outer one's place. The kernel's idea of the protocol
 * follows: a GSO frame called IPv4 that holds IPv6 would be lost where a netdev must have it segmented.
 */
static __always_inline long strip(struct __sk_buff *skb, const struct wire_ethernet *inner)
{
	long r;

	if (inner->type == wire_be16(ETH_P_IPV6)) {
		r = bpf_skb_adjust_room(skb, -WIRE_OUTER, BPF_ADJ_ROOM_MAC,
					BPF_F_ADJ_ROOM_FIXED_GSO | ADJ_ROOM_DECAP_L3_IPV6);
		if (r == -EINVAL) { /* before Linux 6.3: the change to IPv6 adds 20 bytes, removed with the others */
			r = bpf_skb_change_proto(skb, wire_be16(ETH_P_IPV6), 0);
			if (r == 0)
				r = bpf_skb_adjust_room(skb, -(WIRE_OUTER + 20), BPF_ADJ_ROOM_MAC,
							BPF_F_ADJ_ROOM_FIXED_GSO);
		}
	} else {
		r = bpf_skb_adjust_room(skb, -WIRE_OUTER, BPF_ADJ_ROOM_MAC, BPF_F_ADJ_ROOM_FIXED_GSO);
	}
	return r < 0 ? r : bpf_skb_store_bytes(skb, 0, inner, sizeof *inner, 0);
}

static __always_inline int deliver(struct __sk_buff *skb, const struct segment_list *list, __u32 n_ports,
				   const struct wire_ethernet *inner, __u32 vn_id)
{
	struct locals locals = { .dst = wire_mac(inner->dst), .vn_id = vn_id, .n_ports = n_ports };

	find_locals(list, &locals);
	if (locals.n == 0)
		return drop(vn_id, DROP_NOT_HERE);
	if (strip(skb, inner) < 0)
		return drop(vn_id, DROP_SHORT);
	struct segment_stats *counters = stats_of(vn_id);
	if (counters) {
		counters->rx_packets += skb->gso_segs ? skb->gso_segs : 1;
		counters->rx_bytes += skb->len;
	}
	if (locals.n > 1)
		clone_to_locals(skb, list, &locals, locals.last);
	return bpf_redirect(locals.last, 0);
}

SEC("tc")
int xebra_in(struct __sk_buff *skb)
{
	struct wire wire;

	if (skb->protocol != wire_be16(ETH_P_IP) || skb->vlan_present)
		return TC_ACT_OK;
	struct uplink_entry *uplink = uplink_of(skb->ifindex);
	if (!uplink)
		return TC_ACT_OK;
	void *frame = head(skb, WIRE_HEAD);
	if (!frame)
		return TC_ACT_OK;
	enum wire_kind kind = wire_parse(frame, &wire);
	if (kind == WIRE_OTHER || wire.dst != uplink->address.word[3])
		return TC_ACT_OK;
	__u32 vn_id = wire.segment;
	struct segment_entry *segment = bpf_map_lookup_elem(&segments, &vn_id);
	if (!segment)
		return TC_ACT_OK;
	__u64 members = *(volatile __u64 *)&segment->head;
	if (!(segment_flags(members) & SEGMENT_USED))
		return TC_ACT_OK;

	struct segment_list *list = &segment->lists[segment_list_index(members)];
	if (!is_peer(list, segment_n_peers(members), wire.src))
		return drop(vn_id, DROP_NOT_A_PEER);
	if (kind == WIRE_FRAGMENT)
		return drop(vn_id, DROP_FRAGMENT);
	if (!skb->gso_size && (wire.ip_length < WIRE_HEAD - WIRE_ETHERNET || wire.ip_length + WIRE_ETHERNET > skb->len))
		return drop(vn_id, DROP_SHORT);
	if (segment_flags(members) & SEGMENT_DOWN)
		return drop(vn_id, DROP_LINK_DOWN);
	struct wire_ethernet inner = *(struct wire_ethernet *)(frame + WIRE_OUTER);
	return deliver(skb, list, segment_n_ports(members), &inner, vn_id);
}

char _license[] SEC("license") = "GPL";
