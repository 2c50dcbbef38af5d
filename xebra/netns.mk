# SPDX-License-Identifier: GPL-2.0-or-later
# The hypervisor driver netns; needs libxebra.la.
netns_sources = %D%/domain-netns.c %D%/netns-private.h %D%/netns-op.c %D%/netns-make.c %D%/netns-end.c \
	%D%/netns-port.c %D%/netns-port.h %D%/netns-record.c %D%/netns-record.h %D%/pid1.c \
	%D%/pid1.h %D%/veth.c %D%/veth.h %D%/cgroup.c %D%/cgroup.h

noinst_LTLIBRARIES += libxebra-netns.la
libxebra_netns_la_SOURCES = $(netns_sources)
libxebra_netns_la_CPPFLAGS = $(AM_CPPFLAGS) $(EVENT_CFLAGS) $(JANSSON_CFLAGS) $(MNL_CFLAGS)
libxebra_netns_la_LIBADD = libxebra.la $(EVENT_LIBS) $(JANSSON_LIBS) $(MNL_LIBS)

check_PROGRAMS += test-net-tree test-cgroup test-pid1 test-domain-netns
TESTS += test-net-tree test-cgroup test-pid1 test-domain-netns
test_net_tree_SOURCES = %D%/test-net-tree.c
test_net_tree_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(EVENT_CFLAGS) $(JANSSON_CFLAGS)
test_net_tree_LDADD = libxebra.la $(CHECK_ALL_LIBS)
test_cgroup_SOURCES = %D%/test-cgroup.c
test_cgroup_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS)
test_cgroup_LDADD = libxebra-netns.la $(CHECK_ALL_LIBS)
test_pid1_SOURCES = %D%/test-pid1.c
test_pid1_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
test_pid1_LDADD = libxebra-netns.la $(CHECK_ALL_LIBS)
test_domain_netns_SOURCES = %D%/test-domain-netns.c
test_domain_netns_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(EVENT_CFLAGS) $(JANSSON_CFLAGS)
test_domain_netns_LDADD = libxebra-netns.la $(CHECK_ALL_LIBS)
