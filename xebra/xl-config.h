/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pure: a router's configuration as libxl wants it. Nothing is read from the machine; what it can do comes as xl_host.
 */
#ifndef XEBRA_XL_CONFIG_H
#define XEBRA_XL_CONFIG_H

#include "xebra/router-config.h"
#include "xebra/xl-api.h"

struct xl_host {
	bool hap;            /* hardware-assisted paging: PVH runs well */
	bool iommu;          /* devices can be passed through */
	unsigned n_cpus;     /* physical CPUs 0 .. n_cpus - 1 */
	const char *image_dir;
};

/* PVH where the host has HAP and the router takes no PCI device (PVH cannot), now or as a driver domain later. */
libxl_domain_type xl_config_type(const struct router_config *config, const struct xl_host *host);

/* Fills `out`, which libxl_domain_config_init has made and libxl_domain_config_dispose ends, also after an error.
 * -EINVAL: a CPU list, a disk or a port cannot be. */
int xl_config_fill(const struct router_config *config, const struct xl_host *host, libxl_domain_config *out,
		   struct problem *problem);

/* The vif of a port that is not a PORT_VF; `out` from libxl_device_nic_init. */
void xl_config_nic(const struct router_port *port, libxl_device_nic *out);
/* "01:10.0" or "0000:01:10.0"; `out` from libxl_device_pci_init. -EINVAL. */
int xl_config_pci(const char *bdf, libxl_device_pci *out);

/* "all", "0-3,^2", "^0": comma-separated CPUs and ranges, ^ takes away; a list that begins with ^ begins with all.
 * -EINVAL: not understood, a CPU the host has not, or none left. `out` from libxl_bitmap_init; disposed by the caller. */
int xl_config_cpus(const char *text, unsigned n_cpus, libxl_bitmap *out, struct problem *problem);

#endif
