/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "xebra/virt-xml.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

enum { QUOTA_PERIOD_US = 100000, SHARES_PER_WEIGHT = 4 /* 256 is libxl's default, 1024 is cgroup's */ };

static void escape(FILE *out, const char *text)
{
	for (; *text; text++)
		switch (*text) {
		case '&': fputs("&amp;", out); break;
		case '<': fputs("&lt;", out); break;
		case '>': fputs("&gt;", out); break;
		case '"': fputs("&quot;", out); break;
		case '\'': fputs("&apos;", out); break;
		default: fputc(*text, out);
		}
}

/* put(out, "<a b='", text, "'/>", NULL): every second word is text to be escaped. */
static void put(FILE *out, const char *word, ...)
{
	va_list words;

	va_start(words, word);
	for (bool is_markup = true; word; is_markup = !is_markup, word = va_arg(words, const char *))
		if (is_markup)
			fputs(word, out);
		else
			escape(out, word);
	va_end(words);
}

static bool is_set(const char *text)
{
	return text && *text;
}

static void put_cpus(FILE *out, const struct router_config *config)
{
	if (is_set(config->cpus) && strcmp(config->cpus, "all") != 0)
		put(out, "<vcpu placement='static' cpuset='", config->cpus, "'>", NULL);
	else
		put(out, "<vcpu>", NULL);
	fprintf(out, "%u</vcpu>\n<cputune>", config->vcpus);
	if (config->weight)
		fprintf(out, "<shares>%u</shares>", config->weight * SHARES_PER_WEIGHT);
	if (config->cap_percent)
		fprintf(out, "<period>%d</period><quota>%u</quota>", QUOTA_PERIOD_US,
			config->cap_percent * (QUOTA_PERIOD_US / 100) / config->vcpus);
	put(out, "</cputune>\n", NULL);
}

/* `given`, or the file of the image. */
static void put_file(FILE *out, const struct router_config *config, const struct virt_host *host, const char *element,
		     const char *given, const char *file)
{
	fprintf(out, "<%s>", element);
	if (is_set(given))
		escape(out, given);
	else
		put(out, "", host->image_dir, "/", config->image, "/", file, NULL);
	fprintf(out, "</%s>\n", element);
}

static void put_boot(FILE *out, const struct router_config *config, const struct virt_host *host)
{
	bool xen = strcmp(host->type, "xen") == 0;
	const char *console = xen ? "console=hvc0 quiet" : "console=ttyS0 quiet";

	put(out, "<os><type arch='", host->arch, xen ? "'>linux</type>\n" : "'>hvm</type>\n", NULL);
	put_file(out, config, host, "kernel", config->kernel, "kernel");
	if (!is_set(config->kernel) || is_set(config->ramdisk)) /* an image's initramfs fits no other kernel */
		put_file(out, config, host, "initrd", config->ramdisk, "initramfs");
	put(out, "<cmdline>", is_set(config->cmdline) ? config->cmdline : console, "</cmdline></os>\n", NULL);
}

static void put_ends(FILE *out, const struct router_config *config)
{
	static const char *const words[] = {
		[END_DESTROY] = "destroy", [END_RESTART] = "restart", [END_PRESERVE] = "preserve"
	};
	const char *off = config->on_poweroff == END_PRESERVE ? "preserve" : "destroy";
	const char *crash = config->on_crash == END_PRESERVE ? "preserve" : "destroy";

	/* The manager starts again what shall start again; only a reboot stays inside the machine. */
	put(out, "<on_poweroff>", off, "</on_poweroff><on_reboot>", words[config->on_reboot], "</on_reboot><on_crash>", crash,
	    "</on_crash>\n", NULL);
}

void virt_tap_name(const struct router_config *config, const struct router_port *port, char name[PORT_NAME_SIZE])
{
	snprintf(name, PORT_NAME_SIZE, "xr%.8s.%u", config->uuid, port->handle);
}

static void put_tap(FILE *out, const struct router_config *config, const struct router_port *port, const char *model)
{
	char tap[PORT_NAME_SIZE];

	virt_tap_name(config, port, tap);
	if (port->kind == PORT_BRIDGE)
		put(out, "<interface type='bridge'><source bridge='", port->bridge, "'/>", NULL);
	else
		put(out, "<interface type='ethernet'>", NULL);
	put(out, "<target dev='", tap, "'/><mac address='", port->mac, "'/>", NULL);
	put(out, "<model type='", model, "'/>", NULL);
	if (port->mtu)
		fprintf(out, "<mtu size='%u'/>", port->mtu);
	if (port->rate_bps)
		fprintf(out, "<bandwidth><outbound average='%lu'/></bandwidth>",
			port->rate_bps / 8192 ? port->rate_bps / 8192 : 1); /* KiB/s */
	put(out, "</interface>\n", NULL);
}

static void put_devices(FILE *out, const struct router_config *config, const struct virt_host *host)
{
	bool xen = strcmp(host->type, "xen") == 0;

	put(out, "<devices>\n", NULL);
	for (size_t i = 0; i < config->n_ports; i++)
		put_tap(out, config, &config->ports[i], xen ? "netfront" : "virtio");
	put(out, "<console type='pty'><target type='", xen ? "xen" : "serial", "'/></console>\n", NULL);
	if (!xen)
		put(out, "<memballoon model='none'/>\n", NULL);
	put(out, "</devices>\n", NULL);
}

static int check(const struct router_config *config, struct problem *problem)
{
	static const char NO[] = "is not for the driver virt; use the driver xl on a Xen host";

	if (config->driver_domain)
		return problem_set(problem, -ENOTSUP, "%s: driver_domain %s", config->name, NO);
	if (config->disks.n)
		return problem_set(problem, -ENOTSUP, "%s: a disk in xl's words %s", config->name, NO);
	for (size_t i = 0; i < config->n_ports; i++) {
		const struct router_port *port = &config->ports[i];
		if (*port->backend)
			return problem_set(problem, -ENOTSUP, "%s: port %s: backend %s", config->name, port->name, NO);
		if (port->kind == PORT_VF)
			return problem_set(problem, -ENOTSUP, "%s: port %s: a VF %s", config->name, port->name, NO);
	}
	return 0;
}

int virt_xml(const struct router_config *config, const struct virt_host *host, char **xml_out, struct problem *problem)
{
	char *text = NULL;
	size_t size;
	int r = check(config, problem);

	if (r < 0)
		return r;
	FILE *out = open_memstream(&text, &size);
	if (!out)
		return problem_set(problem, -ENOMEM, "%s: no memory", config->name);
	put(out, "<domain type='", host->type, "'><name>", config->name, "</name><uuid>", config->uuid, "</uuid>\n", NULL);
	fprintf(out, "<memory unit='MiB'>%u</memory>\n", config->memory_mib);
	put_cpus(out, config);
	put_boot(out, config, host);
	put(out, "<features><acpi/></features>\n", NULL);
	put_ends(out, config);
	put_devices(out, config, host);
	put(out, "</domain>\n", NULL);
	if (fclose(out) != 0) {
		free(text);
		return problem_set(problem, -ENOMEM, "%s: no memory", config->name);
	}
	*xml_out = text;
	return 0;
}
