/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "xebra/xl-config.h"

#include <errno.h>
#include <string.h>

enum { RATE_INTERVAL_US = 50000 };

static const char DEFAULT_CMDLINE[] = "console=hvc0 quiet";

DEFINE_AUTO(XLU_Config *, xlu_cfg_destroy)

/* Out of memory libxl ends the process; so do these. */
static void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static char *copy(const char *text)
{
	return text && *text ? must(strdup(text)) : NULL;
}

/* --- CPUs --- */

static void cpus_alloc(libxl_bitmap *map, unsigned n_cpus)
{
	libxl_bitmap_dispose(map);
	map->size = (n_cpus + 7) / 8;
	map->map = must(calloc(map->size, 1));
}

static void cpus_set(libxl_bitmap *map, unsigned first, unsigned last, bool on)
{
	for (unsigned cpu = first; cpu <= last; cpu++)
		(on ? libxl_bitmap_set : libxl_bitmap_reset)(map, cpu);
}

static bool number(const char **text, unsigned *value_out)
{
	char *end;

	if (**text < '0' || **text > '9')
		return false;
	unsigned long value = strtoul(*text, &end, 10);
	*value_out = value > 0xffff ? 0xffff : value;
	*text = end;
	return true;
}

/* One of "all", "3", "0-3", "^3", "^0-3" at *text. */
static bool one_range(const char **text, unsigned n_cpus, unsigned *first_out, unsigned *last_out, bool *on_out)
{
	*on_out = **text != '^';
	if (!*on_out)
		++*text;
	if (strncmp(*text, "all", 3) == 0) {
		*text += 3;
		*first_out = 0;
		*last_out = n_cpus - 1;
		return true;
	}
	if (!number(text, first_out))
		return false;
	*last_out = *first_out;
	if (**text != '-')
		return true;
	++*text;
	return number(text, last_out) && *last_out >= *first_out;
}

int xl_config_cpus(const char *text, unsigned n_cpus, libxl_bitmap *out, struct problem *problem)
{
	const char *c = text;
	unsigned first, last;
	bool on;

	cpus_alloc(out, n_cpus);
	if (*c == '^')
		cpus_set(out, 0, n_cpus - 1, true);
	for (;;) {
		if (!one_range(&c, n_cpus, &first, &last, &on) || (*c && *c != ','))
			return problem_set(problem, -EINVAL, "cpus: '%.64s' is not understood; wanted: like 0-3,^2 or all", text);
		if (last >= n_cpus)
			return problem_set(problem, -EINVAL, "cpus: '%.64s' names CPU %u, and the host has 0 to %u", text, last,
					   n_cpus - 1);
		cpus_set(out, first, last, on);
		if (!*c)
			break;
		c++;
	}
	if (libxl_bitmap_is_empty(out))
		return problem_set(problem, -EINVAL, "cpus: '%.64s' leaves no CPU; name at least one", text);
	return 0;
}

/* --- devices --- */

int xl_config_pci(const char *bdf, libxl_device_pci *out)
{
	unsigned domain = 0, bus, device, function;
	int n = 0;

	if ((sscanf(bdf, "%4x:%2x:%2x.%1u%n", &domain, &bus, &device, &function, &n) != 4 || bdf[n]) &&
	    (domain = 0, sscanf(bdf, "%2x:%2x.%1u%n", &bus, &device, &function, &n) != 3 || bdf[n]))
		return -EINVAL;
	if (device > 31 || function > 7)
		return -EINVAL;
	out->domain = domain;
	out->bus = bus;
	out->dev = device;
	out->func = function;
	return 0;
}

void xl_config_nic(const struct router_port *port, libxl_device_nic *out)
{
	out->devid = port->handle;
	out->nictype = LIBXL_NIC_TYPE_VIF;
	out->backend_domname = copy(port->backend);
	mac_parse(port->mac, out->mac);
	if (port->mtu)
		out->mtu = port->mtu;
	if (port->rate_bps) {
		out->rate_interval_usecs = RATE_INTERVAL_US;
		out->rate_bytes_per_interval = port->rate_bps / 8 * RATE_INTERVAL_US / 1000000;
		if (!out->rate_bytes_per_interval)
			out->rate_bytes_per_interval = 1; /* 0 would be no limit */
	}
	out->bridge = copy(port->kind == PORT_SEGMENT ? port->segment : port->bridge);
	if (port->kind == PORT_SEGMENT)
		out->script = copy("vif-xebra"); /* libxl looks bare names up in /etc/xen/scripts */
}

static int fill_ports(const struct router_config *config, libxl_domain_config *out, struct problem *problem)
{
	out->nics = must(calloc(config->n_ports + 1, sizeof *out->nics));
	out->pcidevs = must(calloc(config->n_ports + 1, sizeof *out->pcidevs));
	for (size_t i = 0; i < config->n_ports; i++) {
		const struct router_port *port = &config->ports[i];

		if (port->kind != PORT_VF) {
			libxl_device_nic *nic = &out->nics[out->num_nics++];
			libxl_device_nic_init(nic);
			xl_config_nic(port, nic);
			continue;
		}
		libxl_device_pci *pci = &out->pcidevs[out->num_pcidevs++];
		libxl_device_pci_init(pci);
		if (xl_config_pci(port->vf, pci) < 0)
			return problem_set(problem, -EINVAL, "%s: port %s: '%s' is not a VF; wanted: like 0000:01:10.0", config->name,
					   port->name, port->vf);
	}
	return 0;
}

static int fill_disks(const struct router_config *config, libxl_domain_config *out, struct problem *problem)
{
	AUTO(free) char *said = NULL;
	size_t size;
	AUTO(fclose) FILE *report = must(open_memstream(&said, &size));
	AUTO(xlu_cfg_destroy) XLU_Config *parser = must(xlu_cfg_init(report, "disk"));

	out->disks = must(calloc(config->disks.n + 1, sizeof *out->disks));
	for (size_t i = 0; i < config->disks.n; i++) {
		const char *text = config->disks.texts[i];
		libxl_device_disk *disk = &out->disks[out->num_disks++];

		libxl_device_disk_init(disk);
		int error = xlu_disk_parse(parser, 1, &text, disk);
		fflush(report);
		if (error) {
			said[strcspn(said, "\n")] = '\0';
			return problem_set(problem, -EINVAL, "%s: disk '%.128s': %.128s; see xl-disk-configuration(5)", config->name,
					   text, *said ? said : strerror(error));
		}
	}
	return 0;
}

/* --- the domain --- */

static bool takes_pci(const struct router_config *config)
{
	for (size_t i = 0; i < config->n_ports; i++)
		if (config->ports[i].kind == PORT_VF)
			return true;
	return false;
}

libxl_domain_type xl_config_type(const struct router_config *config, const struct xl_host *host)
{
	if (config->type == ROUTER_PVH)
		return LIBXL_DOMAIN_TYPE_PVH;
	if (config->type == ROUTER_PV || takes_pci(config) || config->driver_domain)
		return LIBXL_DOMAIN_TYPE_PV;
	return host->hap ? LIBXL_DOMAIN_TYPE_PVH : LIBXL_DOMAIN_TYPE_PV;
}

static libxl_action_on_shutdown at_end(enum router_end end)
{
	static const libxl_action_on_shutdown actions[] = {
		[END_DESTROY] = LIBXL_ACTION_ON_SHUTDOWN_DESTROY,
		[END_RESTART] = LIBXL_ACTION_ON_SHUTDOWN_RESTART,
		[END_PRESERVE] = LIBXL_ACTION_ON_SHUTDOWN_PRESERVE,
	};

	return actions[end];
}

static int fill_identity(const struct router_config *config, const struct xl_host *host, libxl_domain_config *out,
			 struct problem *problem)
{
	libxl_domain_create_info *info = &out->c_info;

	info->type = xl_config_type(config, host);
	info->name = copy(config->name);
	info->pool_name = copy(config->pool);
	if (libxl_uuid_from_string(&info->uuid, config->uuid) != 0)
		return problem_set(problem, -EINVAL, "%s: uuid: '%s' is not one", config->name, config->uuid);
	if (takes_pci(config) && info->type == LIBXL_DOMAIN_TYPE_PVH)
		return problem_set(problem, -EINVAL, "%s: a PVH router takes no VF; leave type at auto or say pv", config->name);
	if (takes_pci(config) && !host->iommu)
		return problem_set(problem, -ENOTSUP,
				   "%s: VFs need an IOMMU and Xen uses none here; enable it in the firmware and boot Xen "
				   "with iommu=on",
				   config->name);
	libxl_defbool_set(&info->driver_domain, config->driver_domain);
	if (config->driver_domain && host->iommu)
		info->passthrough = LIBXL_PASSTHROUGH_ENABLED; /* so that VFs can come later */
	out->on_poweroff = at_end(config->on_poweroff);
	out->on_reboot = at_end(config->on_reboot);
	out->on_crash = out->on_watchdog = at_end(config->on_crash);
	return 0;
}

static int fill_cpus(const struct router_config *config, const struct xl_host *host, libxl_domain_build_info *info,
		     struct problem *problem)
{
	info->max_vcpus = config->vcpus;
	cpus_alloc(&info->avail_vcpus, config->vcpus);
	cpus_set(&info->avail_vcpus, 0, config->vcpus - 1, true);
	info->sched_params.weight = config->weight ? (int)config->weight : LIBXL_DOMAIN_SCHED_PARAM_WEIGHT_DEFAULT;
	info->sched_params.cap = config->cap_percent;
	if (!config->cpus || !*config->cpus)
		return 0;

	info->vcpu_hard_affinity = must(calloc(config->vcpus, sizeof *info->vcpu_hard_affinity));
	libxl_defbool_set(&info->numa_placement, false); /* the person has placed it */
	for (unsigned i = 0; i < config->vcpus; i++) {
		libxl_bitmap *map = &info->vcpu_hard_affinity[info->num_vcpu_hard_affinity++];
		libxl_bitmap_init(map);
		int r = xl_config_cpus(config->cpus, host->n_cpus, map, problem);
		if (r < 0) {
			problem_prefix(problem, "%s", config->name);
			return r;
		}
	}
	return 0;
}

static char *image_file(const struct router_config *config, const struct xl_host *host, const char *given,
			const char *name)
{
	char *path = NULL;

	if (given && *given)
		return copy(given);
	if (asprintf(&path, "%s/%s/%s", host->image_dir, config->image, name) < 0)
		abort();
	return path;
}

int xl_config_fill(const struct router_config *config, const struct xl_host *host, libxl_domain_config *out,
		   struct problem *problem)
{
	libxl_domain_build_info *info = &out->b_info;
	bool own_kernel = config->kernel && *config->kernel;
	int r;

	if ((r = fill_identity(config, host, out, problem)) < 0)
		return r;
	libxl_domain_build_info_init_type(info, out->c_info.type);
	info->max_memkb = info->target_memkb = config->memory_mib * UINT64_C(1024);
	libxl_defbool_set(&info->claim_mode, true); /* no memory is known before it is half built */
	info->kernel = image_file(config, host, config->kernel, "kernel");
	if (!own_kernel || (config->ramdisk && *config->ramdisk)) /* an image's initramfs fits no other kernel */
		info->ramdisk = image_file(config, host, config->ramdisk, "initramfs");
	info->cmdline = copy(config->cmdline && *config->cmdline ? config->cmdline : DEFAULT_CMDLINE);
	if (takes_pci(config))
		libxl_defbool_set(&info->u.pv.e820_host, true); /* a hole for the device's memory */
	if ((r = fill_cpus(config, host, info, problem)) < 0)
		return r;
	if ((r = fill_disks(config, out, problem)) < 0)
		return r;
	return fill_ports(config, out, problem);
}
