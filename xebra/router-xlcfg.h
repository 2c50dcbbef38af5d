/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A router file in xl.cfg dialect (man 5 xl.cfg, read with libxlutil), translated to the object of router-config.h.
 *
 *     name = "blue.r1"
 *     memory = 128
 *     loopback = ["10.255.0.1/32"]
 *     routing = "ospf"
 *     vif = ["segment=blue.l1,ip=10.0.1.1/30", "segment=blue.l4,ip=10.0.4.2/30,mtu=1400"]
 *
 * Keys of xl: name uuid type kernel ramdisk cmdline (extra) memory vcpus cpus pool cpu_weight cap on_poweroff on_reboot
 * on_crash driver_domain disk vif. Keys of ours: image hostname loopback routes routing bird (a file's path, relative
 * to the router file). In a vif: xl's mac bridge backend rate, ours: segment vf name ip (repeatable) mtu.
 */
#ifndef XEBRA_ROUTER_XLCFG_H
#define XEBRA_ROUTER_XLCFG_H

#include "xebra/router-config.h"

/* `filename` is for messages and for the paths of bird files. -EINVAL: "FILE:LINE: KEY: reason, remedy". The result has
 * passed router_config_parse. */
int router_xlcfg_parse(const char *text, size_t size, const char *filename, json_t **json_out,
		       struct problem *problem);

/* Line (from 1) on which `key` is set at the top level of the text, 0 if nowhere; -1 if `key` is NULL or "". */
int router_xlcfg_line(const char *text, size_t size, const char *key);

#endif
