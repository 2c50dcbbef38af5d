/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "xebra/guest/guest-report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

enum {
	TAIL_SIZE = 160, /* room for what follows the interfaces */
	PORT_SIZE = 256,
};

enum detail { DETAIL_FULL, DETAIL_BYTES, DETAIL_UP, DETAIL_N };

struct line {
	char *text;
	size_t size, used;
};

__attribute__((format(printf, 2, 3))) static void append(struct line *line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int n = vsnprintf(line->text + line->used, line->size - line->used, format, args);
	va_end(args);
	if (n > 0)
		line->used = line->used + (size_t)n < line->size ? line->used + (size_t)n : line->size - 1;
}

/* Names of ports need no escaping: guest_config_parse lets nothing else through. */
static void format_port(struct line *line, const struct guest_port *port, const struct guest_link *link, enum detail detail)
{
	append(line, "\"%s\":{\"up\":%s", port->name, link && link->running ? "true" : "false");
	if (link && detail <= DETAIL_BYTES)
		append(line, ",\"rx_bytes\":%" PRIu64 ",\"tx_bytes\":%" PRIu64, link->rx_bytes, link->tx_bytes);
	if (link && detail <= DETAIL_FULL)
		append(line, ",\"rx_packets\":%" PRIu64 ",\"tx_packets\":%" PRIu64 ",\"rx_dropped\":%" PRIu64, link->rx_packets,
		       link->tx_packets, link->rx_dropped);
	append(line, "}");
}

/* Returns how many ports did not fit. */
static size_t format_ports(struct line *line, const struct guest_config *config, const struct guest_actual *actual,
			   enum detail detail)
{
	size_t n_ports = config ? config->n_ports : 0;

	for (size_t i = 0; i < n_ports; i++) {
		char text[PORT_SIZE];
		struct line one = { .text = text, .size = sizeof text };
		const struct guest_port *port = &config->ports[i];
		format_port(&one, port, guest_link_of_port(actual, port), detail);
		if (line->used + one.used + 1 + TAIL_SIZE >= line->size)
			return n_ports - i;
		append(line, "%s%s", i ? "," : "", text);
	}
	return 0;
}

void guest_report_format(const struct guest_report *report, const struct guest_config *config,
			 const struct guest_actual *actual, char text[GUEST_REPORT_SIZE])
{
	struct line line = { .text = text, .size = GUEST_REPORT_SIZE };
	size_t omitted = 0;

	append(&line, "{\"uptime_s\":%" PRIu64 ",\"mem_available_kib\":%" PRIu64 ",\"if\":{", report->uptime_s,
	       report->mem_available_kib);
	size_t before = line.used;
	for (enum detail detail = DETAIL_FULL; detail < DETAIL_N; detail++) {
		line.used = before;
		omitted = format_ports(&line, config, actual, detail);
		if (omitted == 0)
			break;
	}
	append(&line, "},\"bird\":{\"running\":%s,\"protocols_up\":%u,\"ospf_full\":%u}", report->bird_running ? "true" : "false",
	       report->protocols_up, report->ospf_full);
	if (omitted)
		append(&line, ",\"if_omitted\":%zu", omitted);
	append(&line, "}");
}
