# SPDX-License-Identifier: GPL-2.0-or-later
# The agent inside routers, and the builder of the images they boot.

GUEST_PURE = %D%/guest-config.c %D%/guest-config.h %D%/guest-plan.c %D%/guest-plan.h %D%/guest-report.c \
	%D%/guest-report.h %D%/bird-reply.c %D%/bird-reply.h

sbin_PROGRAMS += xebra-guest
xebra_guest_SOURCES = %D%/xebra-guest.c %D%/guest-net.c %D%/guest-net.h %D%/bird.c %D%/bird.h $(GUEST_PURE)
xebra_guest_CPPFLAGS = $(AM_CPPFLAGS) $(EVENT_CFLAGS) $(MNL_CFLAGS)
xebra_guest_LDFLAGS = -Wl,--as-needed
xebra_guest_LDADD = libbase.la $(MNL_LIBS)

check_PROGRAMS += test-guest-config test-guest-plan test-guest-report test-bird-reply run-guest-corpus
TESTS += test-guest-config test-guest-plan test-guest-report test-bird-reply run-guest-corpus %D%/test-guest-netns
GUEST_TEST_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS)
GUEST_TEST_LIBS = libbase.la $(CHECK_LIBS) $(JANSSON_LIBS)
test_guest_config_SOURCES = %D%/test-guest-config.c %D%/guest-config.c
test_guest_config_CPPFLAGS = $(GUEST_TEST_CPPFLAGS)
test_guest_config_LDADD = $(GUEST_TEST_LIBS)
test_guest_plan_SOURCES = %D%/test-guest-plan.c %D%/guest-plan.c %D%/guest-config.c
test_guest_plan_CPPFLAGS = $(GUEST_TEST_CPPFLAGS)
test_guest_plan_LDADD = $(GUEST_TEST_LIBS)
test_guest_report_SOURCES = %D%/test-guest-report.c %D%/guest-report.c %D%/guest-plan.c %D%/guest-config.c
test_guest_report_CPPFLAGS = $(GUEST_TEST_CPPFLAGS)
test_guest_report_LDADD = $(GUEST_TEST_LIBS)
test_bird_reply_SOURCES = %D%/test-bird-reply.c %D%/bird-reply.c
test_bird_reply_CPPFLAGS = $(GUEST_TEST_CPPFLAGS)
test_bird_reply_LDADD = $(GUEST_TEST_LIBS)

GUEST_FUZZ = %D%/fuzz-guest-config.c %D%/guest-config.c %D%/guest-plan.c %D%/guest-report.c
run_guest_corpus_SOURCES = $(GUEST_FUZZ)
run_guest_corpus_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_MAIN -DCORPUS='"$(srcdir)/%D%/corpus"'
run_guest_corpus_LDADD = libbase.la
if FUZZERS
noinst_PROGRAMS += fuzz-guest-config
fuzz_guest_config_SOURCES = $(GUEST_FUZZ)
fuzz_guest_config_LDFLAGS = -fsanitize=fuzzer
fuzz_guest_config_LDADD = libbase.la
endif

# The builder is installed with its directories filled in; in the source tree it runs as it is.
guestbindir = $(bindir)
guestbin_SCRIPTS = %D%/installed/xebra-mkimage
%D%/installed/xebra-mkimage: %D%/xebra-mkimage Makefile
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(SED) -e 's|^share=.*|share=$(pkgdatadir)/guest version=$(VERSION)|' \
		-e 's|^images=.*|images=$(localstatedir)/lib/xebra/images|' $(srcdir)/%D%/xebra-mkimage >$@.new \
		&& chmod 755 $@.new && mv $@.new $@
CLEANFILES += %D%/installed/xebra-mkimage
guestprofilesdir = $(pkgdatadir)/guest/profiles
dist_guestprofiles_DATA = %D%/profiles/base.inc %D%/profiles/router %D%/profiles/driverdom
guestrootfsdir = $(pkgdatadir)/guest/rootfs
dist_guestrootfs_DATA = %D%/rootfs/init %D%/rootfs/inittab %D%/rootfs/rcS %D%/rootfs/profile %D%/rootfs/passwd \
	%D%/rootfs/group %D%/rootfs/hosts

man8_MANS += %D%/xebra-guest.8 %D%/xebra-mkimage.8
CLEANFILES += %D%/xebra-guest.8 %D%/xebra-mkimage.8
EXTRA_DIST += %D%/README.md %D%/xebra-guest.pod %D%/xebra-mkimage.pod %D%/xebra-mkimage %D%/test-guest-netns \
	%D%/corpus/router %D%/corpus/bad-prefix %D%/corpus/bad-name %D%/corpus/routes %D%/corpus/chunks
