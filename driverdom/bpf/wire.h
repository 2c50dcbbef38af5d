/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What travels on the underlay, and the one parser and writer of it, for BPF programs and for C.
 *
 *   0              14             34        42             56
 *   +--------------+--------------+---------+--------------+-----------------+
 *   | Ethernet     | IPv4         | UDP     | inner        | inner payload   |
 *   | next hop     | DF, TTL 64   | sum 0   | Ethernet     |                 |
 *   +--------------+--------------+---------+--------------+-----------------+
 *     WIRE_ETHERNET  src: this host  dst port: VN ID of the segment
 *                    dst: the peer   src port: 49152 + flow hash of the inner frame
 *
 * An inner VLAN tag is part of the inner frame. The UDP checksum is absent (RFC 768: zero), the inner frame has its own;
 * the IPv4 identification is the flow's source port, since an atomic datagram (DF) may carry any (RFC 6864, section 4.1).
 *
 * wire_parse looks at WIRE_HEAD bytes and no more; whoever calls it has made them readable.
 */
#ifndef XEBRA_WIRE_H
#define XEBRA_WIRE_H

#include <linux/if_ether.h>
#include <linux/types.h>

enum {
	WIRE_ETHERNET = 14,
	WIRE_TAG = 4,
	WIRE_IPV4 = 20,
	WIRE_UDP = 8,
	WIRE_OUTER = WIRE_ETHERNET + WIRE_IPV4 + WIRE_UDP, /* what a frame grows by */
	WIRE_HEAD = WIRE_OUTER + WIRE_ETHERNET,
	WIRE_INNER_MIN = 34,    /* a shorter inner frame cannot be stripped: the kernel wants 20 bytes of payload */
	WIRE_INNER_PADDED = 60, /* what such a frame is padded to, as an Ethernet does */
	WIRE_TTL = 64,
	WIRE_PROTOCOL_UDP = 17,
	WIRE_VERSION_IHL = 0x45,
	WIRE_FLOW_PORTS = 49152,
	WIRE_FLOW_MASK = 0x3fff,
	WIRE_SEGMENT_FIRST = 1024,
	WIRE_SEGMENT_LAST = 65535,
};

enum { WIRE_DONT_FRAGMENT = 0x4000, WIRE_FRAGMENT_MASK = 0x3fff /* more fragments, or an offset */ };

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define wire_be16(host) ((__be16)__builtin_bswap16(host))
#define wire_host16(be) __builtin_bswap16(be)
#else
#define wire_be16(host) ((__be16)(host))
#define wire_host16(be) (be)
#endif

struct wire_ethernet {
	__u8 dst[ETH_ALEN];
	__u8 src[ETH_ALEN];
	__be16 type;
} __attribute__((packed, aligned(2)));

struct wire_tag {
	__be16 tci;
	__be16 type; /* of what follows */
} __attribute__((packed, aligned(2)));

struct wire_ipv4 {
	__u8 version_ihl;
	__u8 tos;
	__be16 length;
	__be16 id;
	__be16 fragment;
	__u8 ttl;
	__u8 protocol;
	__u16 sum;
	__be32 src;
	__be32 dst;
} __attribute__((packed, aligned(2)));

struct wire_udp {
	__be16 src;
	__be16 dst;
	__be16 length;
	__u16 sum;
} __attribute__((packed, aligned(2)));

struct wire_outer {
	struct wire_ethernet ethernet;
	struct wire_ipv4 ip;
	struct wire_udp udp;
} __attribute__((packed, aligned(2)));

/* What wire_parse found. Addresses in network order. */
struct wire {
	__be32 src;
	__be32 dst;
	__u16 segment;
	__u16 ip_length; /* modulo 2^16 in a frame that the sender's kernel has not segmented */
};

enum wire_kind {
	WIRE_OTHER,    /* no IPv4/UDP frame: none of ours */
	WIRE_FRAME,    /* an IPv4/UDP frame; whether its port is a segment's is the caller's question */
	WIRE_FRAGMENT, /* the first fragment of such a frame: ours are never fragmented */
};

/* A MAC address as a number: the first byte is the most significant of 48 bits. */
static inline __attribute__((always_inline)) __u64 wire_mac(const __u8 mac[ETH_ALEN])
{
	return (__u64)mac[0] << 40 | (__u64)mac[1] << 32 | (__u64)mac[2] << 24 | (__u64)mac[3] << 16 | (__u64)mac[4] << 8 |
	       mac[5];
}

/* Group addresses (broadcast too) have this bit of the first byte. */
#define WIRE_GROUP_BIT (1ULL << 40)

/* The Internet checksum (RFC 1071) of an IPv4 header without options: 0 for a header that carries its right sum. */
static inline __attribute__((always_inline)) __u16 wire_ipv4_sum(const struct wire_ipv4 *ip)
{
	const __u16 *word = (const __u16 *)(const void *)ip;
	__u32 sum = 0;

	for (int i = 0; i < WIRE_IPV4 / 2; i++)
		sum += word[i];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (__u16)~sum;
}

/* `head`: WIRE_HEAD readable bytes from the outer Ethernet header on. */
static inline __attribute__((always_inline)) enum wire_kind wire_parse(const void *head, struct wire *wire)
{
	const struct wire_outer *outer = head;

	if (outer->ethernet.type != wire_be16(ETH_P_IP) || outer->ip.version_ihl != WIRE_VERSION_IHL ||
	    outer->ip.protocol != WIRE_PROTOCOL_UDP || wire_ipv4_sum(&outer->ip) != 0)
		return WIRE_OTHER;
	__u16 fragment = wire_host16(outer->ip.fragment) & WIRE_FRAGMENT_MASK;
	if (fragment & 0x1fff)
		return WIRE_OTHER;
	wire->src = outer->ip.src;
	wire->dst = outer->ip.dst;
	wire->segment = wire_host16(outer->udp.dst);
	wire->ip_length = wire_host16(outer->ip.length);
	return fragment ? WIRE_FRAGMENT : WIRE_FRAME;
}

/* Writes IPv4 and UDP of a frame whose IPv4 packet has `ip_length` bytes. `flow`: any hash of the inner flow. */
static inline __attribute__((always_inline)) void wire_write(struct wire_outer *outer, __be32 src, __be32 dst, __u16 segment,
							     __u32 flow, __u16 ip_length)
{
	__be16 flow_port = wire_be16(WIRE_FLOW_PORTS + ((flow ^ flow >> 16) & WIRE_FLOW_MASK));

	outer->ethernet.type = wire_be16(ETH_P_IP);
	outer->ip = (struct wire_ipv4){
		.version_ihl = WIRE_VERSION_IHL,
		.length = wire_be16(ip_length),
		.id = flow_port,
		.fragment = wire_be16(WIRE_DONT_FRAGMENT),
		.ttl = WIRE_TTL,
		.protocol = WIRE_PROTOCOL_UDP,
		.src = src,
		.dst = dst,
	};
	outer->ip.sum = wire_ipv4_sum(&outer->ip);
	outer->udp = (struct wire_udp){
		.src = flow_port,
		.dst = wire_be16(segment),
		.length = wire_be16((__u16)(ip_length - WIRE_IPV4)),
	};
}

#endif
