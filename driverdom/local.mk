# SPDX-License-Identifier: GPL-2.0-or-later
if HAVE_BPF
# The BPF object and, from it, the skeleton that the programs below contain. clang has no path to asm/ for this target.
bpf_cflags = -O2 -g -target bpf -mcpu=v3 -Wall -Wextra -Werror \
	-idirafter /usr/include/$$($(CC) -print-multiarch 2>/dev/null || $(CC) -dumpmachine)
%D%/bpf/dataplane.bpf.o: %D%/bpf/dataplane.bpf.c %D%/bpf/tables.h %D%/bpf/wire.h
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(CLANG) $(bpf_cflags) -c $< -o $@
%D%/bpf/dataplane.skel.h: %D%/bpf/dataplane.bpf.o
	$(AM_V_GEN)$(BPFTOOL) gen skeleton $< name dataplane_bpf > $@.new && mv $@.new $@
BUILT_SOURCES += %D%/bpf/dataplane.skel.h
$(libdataplane_la_OBJECTS): %D%/bpf/dataplane.skel.h
CLEANFILES += %D%/bpf/dataplane.bpf.o %D%/bpf/dataplane.skel.h
EXTRA_DIST += %D%/bpf/dataplane.bpf.c %D%/README.md

man8_MANS += %D%/driverdomd.8 %D%/varp.8
CLEANFILES += %D%/driverdomd.8 %D%/varp.8
EXTRA_DIST += %D%/driverdomd.pod %D%/varp.pod
dist_systemdunit_DATA += %D%/driverdomd.service

# What does no I/O, then what does, then the programs.
noinst_LTLIBRARIES += libdriverdom.la
libdriverdom_la_SOURCES = %D%/array.h %D%/bpf/tables.h %D%/bpf/wire.h \
	%D%/wanted.c %D%/wanted.h %D%/resolve.c %D%/resolve.h %D%/reconcile.c %D%/reconcile.h %D%/vif.c %D%/vif.h
libdriverdom_la_LIBADD = libbase.la

noinst_LTLIBRARIES += libdataplane.la
libdataplane_la_SOURCES = %D%/dataplane.c %D%/dataplane.h
libdataplane_la_CPPFLAGS = $(AM_CPPFLAGS) $(BPF_CFLAGS)
libdataplane_la_LIBADD = libdriverdom.la $(BPF_LIBS)

sbin_PROGRAMS += driverdomd varp
driverdomd_SOURCES = %D%/driverdomd.c %D%/links.c %D%/links.h %D%/neigh.c %D%/neigh.h %D%/netlink.c %D%/netlink.h \
	%D%/report.c %D%/report.h %D%/vifs.c %D%/vifs.h
driverdomd_CPPFLAGS = $(AM_CPPFLAGS) $(EVENT_CFLAGS) $(MNL_CFLAGS) $(SYSTEMD_CFLAGS)
driverdomd_LDADD = libdataplane.la $(EVENT_LIBS) $(MNL_LIBS) $(SYSTEMD_LIBS)
varp_SOURCES = %D%/varp.c
varp_CPPFLAGS = $(AM_CPPFLAGS) $(EVENT_CFLAGS) $(SMARTCOLS_CFLAGS)
varp_LDADD = libdataplane.la $(EVENT_LIBS) $(SMARTCOLS_LIBS)

driverdom_tests = test-wire test-wanted test-resolve test-reconcile test-vif test-dataplane
check_PROGRAMS += $(driverdom_tests)
TESTS += $(driverdom_tests) %D%/test-driverdom-netns
EXTRA_DIST += %D%/test-driverdom-netns %D%/netns-lab.sh %D%/test-driverdom-xen
driverdom_test_cppflags = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
test_wire_SOURCES = %D%/bpf/test-wire.c
test_wire_CPPFLAGS = $(driverdom_test_cppflags)
test_wire_LDADD = $(CHECK_LIBS)
test_wanted_SOURCES = %D%/test-wanted.c
test_wanted_CPPFLAGS = $(driverdom_test_cppflags)
test_wanted_LDADD = libdriverdom.la $(CHECK_LIBS)
test_resolve_SOURCES = %D%/test-resolve.c
test_resolve_CPPFLAGS = $(driverdom_test_cppflags)
test_resolve_LDADD = libdriverdom.la $(CHECK_LIBS)
test_reconcile_SOURCES = %D%/test-reconcile.c
test_reconcile_CPPFLAGS = $(driverdom_test_cppflags)
test_reconcile_LDADD = libdriverdom.la $(CHECK_LIBS)
test_vif_SOURCES = %D%/test-vif.c
test_vif_CPPFLAGS = $(driverdom_test_cppflags)
test_vif_LDADD = libdriverdom.la $(CHECK_LIBS)
test_dataplane_SOURCES = %D%/test-dataplane.c
test_dataplane_CPPFLAGS = $(driverdom_test_cppflags) $(BPF_CFLAGS)
test_dataplane_LDADD = libdataplane.la $(CHECK_LIBS) $(BPF_LIBS)

check_PROGRAMS += replay-wanted
TESTS += replay-wanted
EXTRA_DIST += %D%/corpus-wanted
replay_wanted_SOURCES = %D%/fuzz-wanted.c tests/replay.c
replay_wanted_CPPFLAGS = $(AM_CPPFLAGS) -DCORPUS='"$(srcdir)/%D%/corpus-wanted"'
replay_wanted_LDADD = libdriverdom.la
if FUZZERS
noinst_PROGRAMS += fuzz-wanted
fuzz_wanted_SOURCES = %D%/fuzz-wanted.c
fuzz_wanted_LDFLAGS = -fsanitize=fuzzer
fuzz_wanted_LDADD = libdriverdom.la
endif
endif
