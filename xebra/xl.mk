# SPDX-License-Identifier: GPL-2.0-or-later
if HAVE_XL
xl_sources = %D%/domain-xl.c %D%/xl-api.h %D%/xl-config.c %D%/xl-config.h %D%/xl-log.c %D%/xl-log.h \
	%D%/xl-loop.c %D%/xl-loop.h %D%/xl-op.c %D%/xl-op.h %D%/xl-save.c %D%/xl-save.h %D%/xl-tune.c %D%/xl-tune.h \
	%D%/xl-vf.c %D%/xl-vf.h

# Linked into xebrad and into the tests.
noinst_LTLIBRARIES += libdomain-xl.la
libdomain_xl_la_SOURCES = $(xl_sources)
libdomain_xl_la_CPPFLAGS = $(AM_CPPFLAGS) $(XL_CFLAGS) $(EVENT_CFLAGS) $(JANSSON_CFLAGS) $(MNL_CFLAGS)
libdomain_xl_la_LIBADD = $(XL_LIBS) $(EVENT_LIBS) $(JANSSON_LIBS) $(MNL_LIBS)

xl_test_cppflags = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(XL_CFLAGS) $(EVENT_CFLAGS) $(JANSSON_CFLAGS)
check_PROGRAMS += test-xl-config test-xl-log test-xl-loop test-xl-save test-xl-vf test-domain-xl
TESTS += test-xl-config test-xl-log test-xl-loop test-xl-save test-xl-vf test-domain-xl
test_xl_config_SOURCES = %D%/test-xl-config.c
test_xl_config_CPPFLAGS = $(xl_test_cppflags)
test_xl_config_LDADD = libdomain-xl.la libxebra.la libbase.la $(CHECK_LIBS)
test_xl_log_SOURCES = %D%/test-xl-log.c
test_xl_log_CPPFLAGS = $(xl_test_cppflags)
test_xl_log_LDADD = libdomain-xl.la libxebra.la libbase.la $(CHECK_LIBS)
# Has libxl's side of the hooks itself, so libxl is not linked.
test_xl_loop_SOURCES = %D%/test-xl-loop.c %D%/xl-loop.c
test_xl_loop_CPPFLAGS = $(xl_test_cppflags)
test_xl_loop_LDADD = $(CHECK_LIBS) $(EVENT_LIBS)
test_xl_save_SOURCES = %D%/test-xl-save.c
test_xl_save_CPPFLAGS = $(xl_test_cppflags)
test_xl_save_LDADD = libdomain-xl.la libxebra.la libbase.la $(CHECK_LIBS)
test_xl_vf_SOURCES = %D%/test-xl-vf.c
test_xl_vf_CPPFLAGS = $(xl_test_cppflags)
test_xl_vf_LDADD = libdomain-xl.la libxebra.la libbase.la $(CHECK_LIBS)
test_domain_xl_SOURCES = %D%/test-domain-xl.c
test_domain_xl_CPPFLAGS = $(xl_test_cppflags)
test_domain_xl_LDADD = libdomain-xl.la libxebra.la libbase.la $(CHECK_LIBS)
endif
