/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vifs that netback serves in this domain and whose script is vif-xebra: backend/vif/<domid>/<handle> in the tree.
 * Order of calls: vifs_open; vifs_read after every change in the tree; vifs_ports into resolve; vifs_step when the
 * target is applied; vifs_close.
 */
#ifndef XEBRA_VIFS_H
#define XEBRA_VIFS_H

#include "libvnet/base/tree.h"
#include "resolve.h"

struct vifs;

/* `agent`: this is a driver domain, where driverdomd does what libxl does in Dom0. */
int vifs_open(struct tree *tree, bool agent, struct vifs **vifs_out);
void vifs_close(struct vifs *vifs);
DEFINE_AUTO(struct vifs *, vifs_close)

int vifs_read(struct vifs *vifs);
/* The ports to add to the wanted ones; valid until the next vifs_read. */
const struct wanted_port *vifs_ports(const struct vifs *vifs, size_t *n_out);
/* Tells netback and the toolstack what became of each. True: the ports have changed, resolve again. */
bool vifs_step(struct vifs *vifs, const struct target *target);

#endif
