# SPDX-License-Identifier: GPL-2.0-or-later
# The agent inside routers, and the builder of the images they boot.

GUEST_PURE = %D%/guest-config.c %D%/guest-config.h %D%/guest-plan.c %D%/guest-plan.h %D%/guest-report.c \
	%D%/guest-report.h %D%/bird-reply.c %D%/bird-reply.h

sbin_PROGRAMS += xebra-guest
xebra_guest_SOURCES = %D%/xebra-guest.c %D%/guest-net.c %D%/guest-net.h %D%/bird.c %D%/bird.h $(GUEST_PURE)
xebra_guest_CPPFLAGS = $(AM_CPPFLAGS) $(EVENT_CFLAGS) $(MNL_CFLAGS)
xebra_guest_LDFLAGS = -Wl,--as-needed
xebra_guest_LDADD = libbase.la -levent_core $(MNL_LIBS)

