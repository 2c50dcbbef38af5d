# SPDX-License-Identifier: GPL-2.0-or-later
include xebra/netns.mk
include xebra/xl.mk
include xebra/virt.mk
include xebra/guest/local.mk

# What the daemon and its unit tests share.
noinst_LTLIBRARIES += libxebra.la
libxebra_la_SOURCES = %D%/router-config.c %D%/router-config.h %D%/router.c %D%/router.h %D%/store.c %D%/store.h \
	%D%/segment.c %D%/segment.h %D%/net-tree.c %D%/net-tree.h %D%/domain.h %D%/manager.c %D%/manager.h \
	%D%/manager-private.h %D%/manager-router.c %D%/manager-change.c %D%/manager-segment.c
libxebra_la_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS) $(XL_CFLAGS) $(SQLITE_CFLAGS) $(EVENT_CFLAGS)
libxebra_la_LIBADD = libbase.la $(JANSSON_LIBS) $(XL_LIBS) $(SQLITE_LIBS) $(EVENT_LIBS)

check_PROGRAMS += test-router-config
TESTS += test-router-config
test_router_config_SOURCES = %D%/test-router-config.c
test_router_config_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS)
test_router_config_LDADD = libxebra.la $(CHECK_LIBS) $(JANSSON_LIBS)

if HAVE_XL
libxebra_la_SOURCES += %D%/router-xlcfg.c %D%/router-xlcfg.h
check_PROGRAMS += test-router-xlcfg
TESTS += test-router-xlcfg
test_router_xlcfg_SOURCES = %D%/test-router-xlcfg.c
test_router_xlcfg_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS)
test_router_xlcfg_LDADD = libxebra.la $(CHECK_LIBS) $(JANSSON_LIBS)
endif
