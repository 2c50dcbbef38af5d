/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pure: a router's configuration as libvirt's domain XML.
 *
 * A port on a segment is a tap that carries no address, named after the router; driverdomd is told of it as of a port
 * of a namespace router. Disks in xl's words, VFs and driver domains are refused.
 */
#ifndef XEBRA_VIRT_XML_H
#define XEBRA_VIRT_XML_H

#include "xebra/router-config.h"

struct virt_host {
	const char *type; /* of <domain>: kvm, qemu, xen, test */
	const char *arch; /* x86_64 */
	const char *image_dir;
};

/* The document as a new string. -ENOTSUP: libvirt cannot. */
int virt_xml(const struct router_config *config, const struct virt_host *host, char **xml_out, struct problem *problem);

/* Name of the tap of a port: unique on the host. */
void virt_tap_name(const struct router_config *config, const struct router_port *port, char name[PORT_NAME_SIZE]);

#endif
