/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The SR-IOV virtual functions of this host as sysfs shows them, and the MAC address a physical function gives to one.
 * `sysfs` is "/sys", or another folder in a test.
 */
#ifndef XEBRA_XL_VF_H
#define XEBRA_XL_VF_H

#include "libvnet/base/problem.h"
#include "xebra/router-config.h"

struct xl_vf {
	char bdf[BDF_TEXT_SIZE], pf_bdf[BDF_TEXT_SIZE];
	char pf[PORT_NAME_SIZE]; /* network interface of the physical function, "" if it has no driver */
	char driver[32];         /* bound to the VF now, "" if none; "pciback": may be given to a guest */
	unsigned index;          /* number of the VF at its PF */
};

/* All VFs in order of their BDF; array from malloc, freed by the caller. A host without PCI has none. */
int xl_vf_list(const char *sysfs, struct xl_vf **vfs_out, size_t *n_out);
/* -ENOENT: no such VF. `bdf` in the long form. */
int xl_vf_find(const char *sysfs, const char *bdf, struct xl_vf *vf_out);

/* RTM_SETLINK, IFLA_VF_MAC at the VF's PF. NULL gives the choice back to the PF (00:00:00:00:00:00). */
int xl_vf_set_mac(const struct xl_vf *vf, const char *mac, struct problem *problem);

#endif
