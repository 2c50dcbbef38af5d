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

sbin_PROGRAMS += xebrad
xebrad_SOURCES = %D%/xebrad.c %D%/api.c %D%/api.h
xebrad_CPPFLAGS = $(libxebra_la_CPPFLAGS) $(INIH_CFLAGS) $(SYSTEMD_CFLAGS)
xebrad_LDADD = libxebra-netns.la libxebra.la $(INIH_LIBS) $(SYSTEMD_LIBS)
if HAVE_XL
xebrad_LDADD += libdomain-xl.la
endif

bin_PROGRAMS += %D%/xebra
xebra_xebra_SOURCES = %D%/xebra.c %D%/cli.c %D%/cli.h %D%/cli-router.c %D%/cli-other.c
xebra_xebra_CPPFLAGS = $(libxebra_la_CPPFLAGS) $(SMARTCOLS_CFLAGS)
xebra_xebra_LDADD = libhttpclient.la libxebra.la $(SMARTCOLS_LIBS) -lpthread

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

check_PROGRAMS += test-router
TESTS += test-router
test_router_SOURCES = %D%/test-router.c
test_router_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
test_router_LDADD = libxebra.la $(CHECK_LIBS)

check_PROGRAMS += replay-router
TESTS += replay-router
EXTRA_DIST += %D%/corpus-router
replay_router_SOURCES = %D%/fuzz-router.c tests/replay.c
replay_router_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS) -DCORPUS='"$(srcdir)/%D%/corpus-router"'
replay_router_LDADD = libxebra.la $(JANSSON_LIBS)
if FUZZERS
noinst_PROGRAMS += fuzz-router
fuzz_router_SOURCES = %D%/fuzz-router.c
fuzz_router_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
fuzz_router_LDFLAGS = -fsanitize=fuzzer
fuzz_router_LDADD = libxebra.la $(JANSSON_LIBS)
endif

man1_MANS += %D%/xebra.1
man5_MANS += %D%/xebra-router.5
man8_MANS += %D%/xebrad.8
CLEANFILES += %D%/xebra.1 %D%/xebra-router.5 %D%/xebrad.8
EXTRA_DIST += %D%/README.md %D%/xebra.pod %D%/xebra-router.pod %D%/xebrad.pod
dist_systemdunit_DATA += %D%/xebrad.service
