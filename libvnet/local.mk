# SPDX-License-Identifier: LGPL-2.1-or-later
noinst_LTLIBRARIES += libbase.la
libbase_la_SOURCES = %D%/base/cleanup.h %D%/base/json.h %D%/base/problem.c %D%/base/problem.h %D%/base/log.c %D%/base/log.h \
	%D%/base/tree.c %D%/base/tree.h %D%/base/tree-backend.h %D%/base/tree-dir.c
libbase_la_CPPFLAGS = $(AM_CPPFLAGS) $(EVENT_CFLAGS) $(XL_CFLAGS) $(OPENSSL_CFLAGS) $(JANSSON_CFLAGS)
libbase_la_LIBADD = $(EVENT_LIBS) $(XL_LIBS) $(OPENSSL_LIBS) $(JANSSON_LIBS)
if HAVE_XL
libbase_la_SOURCES += %D%/base/tree-xs.c
endif

CHECK_ALL_LIBS = $(CHECK_LIBS) $(EVENT_LIBS) $(JANSSON_LIBS)
check_PROGRAMS += test-tree
TESTS += test-tree
test_tree_SOURCES = %D%/base/test-tree.c
test_tree_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(EVENT_CFLAGS)
test_tree_LDADD = libbase.la $(CHECK_ALL_LIBS)
