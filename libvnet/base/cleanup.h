/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Locals own what they make, and scope destroys it:
 *
 *     AUTO(free) char *text = NULL;
 *     AUTO(json_decref) json_t *reply = json_object();
 *     ...
 *     *reply_out = take(reply);      // ownership leaves the scope
 *
 * A destroyer used with AUTO is declared once with DEFINE_AUTO(type, destroyer) and is not called for NULL.
 */
#ifndef XEBRA_BASE_CLEANUP_H
#define XEBRA_BASE_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define AUTO(destroy) __attribute__((cleanup(auto_##destroy), unused))
#define DEFINE_AUTO(type, destroy)               \
	__attribute__((unused)) static inline void auto_##destroy(type *own) \
	{                                            \
		if (*own)                                \
			(void)destroy(*own);                 \
	}

/* take(x): the value of x; x becomes NULL (0), so its scope no longer destroys it. */
#define take(own)                   \
	({                              \
		__auto_type taken_ = (own); \
		(own) = 0;                  \
		taken_;                     \
	})

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

static inline void auto_free(void *own)
{
	free(*(void **)own);
}

/* AUTO(close) int fd = -1; */
static inline void auto_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

DEFINE_AUTO(FILE *, fclose)

#endif
