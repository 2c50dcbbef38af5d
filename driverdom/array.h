/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A growing array is a pointer and a count:
 *
 *     struct port *port = ARRAY_ADD(set->ports, set->n_ports);   // zeroed; NULL: no memory, the array is as before
 */
#ifndef XEBRA_ARRAY_H
#define XEBRA_ARRAY_H

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Room for one more item; allocates when `n` reaches a power of two. Returns the (moved) items or NULL. */
static inline void *array_grow(void *items, size_t n, size_t item_size)
{
	if (n & (n - 1) || (n == 0 && items))
		return items;
	return reallocarray(items, n ? 2 * n : 1, item_size);
}

#define ARRAY_ADD(items, n)                                             \
	({                                                                  \
		__auto_type grown_ = array_grow((items), (n), sizeof *(items)); \
		if (grown_) {                                                   \
			(items) = grown_;                                           \
			memset(&(items)[(n)++], 0, sizeof *(items));                \
		}                                                               \
		grown_ ? &(items)[(n) - 1] : NULL;                              \
	})

/* The end of an array that may be NULL when it is empty (NULL + 0 is undefined in C). */
#define ARRAY_END(items, n) ((n) ? (items) + (n) : (items))

#endif
