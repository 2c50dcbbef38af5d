/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "xebra/xl-save.h"

#include <errno.h>
#include <string.h>

#define MAGIC "xebra saved router 1\n"

void xl_save_head(const char *uuid, const char *name, enum router_type type, char head[XL_SAVE_HEAD_SIZE])
{
	int n = snprintf(head, XL_SAVE_HEAD_SIZE, MAGIC "uuid=%.36s\nname=%.63s\ntype=%s\n", uuid, name,
			 type == ROUTER_PVH ? "pvh" : "pv");

	memset(head + n, '\n', XL_SAVE_HEAD_SIZE - n);
}

int xl_save_check(const uint8_t *head, size_t size, const char *uuid, enum router_type *type_out,
		  struct problem *problem)
{
	char text[XL_SAVE_HEAD_SIZE + 1], found[UUID_TEXT_SIZE], name[ROUTER_NAME_SIZE], type[4];

	if (size != XL_SAVE_HEAD_SIZE || memcmp(head, MAGIC, strlen(MAGIC)) != 0)
		return problem_set(problem, -EINVAL, "this is no saved router, or one of another version of xebra");
	memcpy(text, head, XL_SAVE_HEAD_SIZE);
	text[XL_SAVE_HEAD_SIZE] = '\0';
	if (sscanf(text + strlen(MAGIC), "uuid=%36[0-9a-fA-F-]\nname=%63[^\n]\ntype=%3[a-z]\n", found, name, type) != 3 ||
	    (strcmp(type, "pv") != 0 && strcmp(type, "pvh") != 0))
		return problem_set(problem, -EINVAL, "its head is damaged");
	if (strcasecmp(found, uuid) != 0)
		return problem_set(problem, -EINVAL, "it holds another router, %s (%s)", name, found);
	*type_out = strcmp(type, "pvh") == 0 ? ROUTER_PVH : ROUTER_PV;
	return 0;
}
