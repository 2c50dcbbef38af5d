# SPDX-License-Identifier: LGPL-2.1-or-later
EXTRA_DIST += %D%/README.md
noinst_LTLIBRARIES += libbase.la
libbase_la_SOURCES = %D%/base/cleanup.h %D%/base/json.h %D%/base/problem.c %D%/base/problem.h %D%/base/log.c %D%/base/log.h \
	%D%/base/failpoint.c %D%/base/failpoint.h \
	%D%/base/tree.c %D%/base/tree.h %D%/base/tree-backend.h %D%/base/tree-dir.c \
	%D%/base/http.c %D%/base/http.h %D%/base/http-parse.c %D%/base/http-parse.h %D%/base/http-tls.c %D%/base/http-private.h
libbase_la_CPPFLAGS = $(AM_CPPFLAGS) $(EVENT_CFLAGS) $(XL_CFLAGS) $(OPENSSL_CFLAGS) $(JANSSON_CFLAGS)
libbase_la_LIBADD = $(EVENT_LIBS) $(XL_LIBS) $(OPENSSL_LIBS) $(JANSSON_LIBS)
if HAVE_XL
libbase_la_SOURCES += %D%/base/tree-xs.c
endif

# For command-line programs; daemons need no libcurl.
noinst_LTLIBRARIES += libhttpclient.la
libhttpclient_la_SOURCES = %D%/base/http-client.c
libhttpclient_la_CPPFLAGS = $(AM_CPPFLAGS) $(CURL_CFLAGS) $(JANSSON_CFLAGS)
libhttpclient_la_LIBADD = libbase.la $(CURL_LIBS) $(JANSSON_LIBS)

CHECK_ALL_LIBS = $(CHECK_LIBS) $(EVENT_LIBS) $(JANSSON_LIBS)
check_PROGRAMS += test-tree
TESTS += test-tree
test_tree_SOURCES = %D%/base/test-tree.c
test_tree_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(EVENT_CFLAGS)
test_tree_LDADD = libbase.la $(CHECK_ALL_LIBS)

check_PROGRAMS += test-http
TESTS += test-http
test_http_SOURCES = %D%/base/test-http.c
test_http_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(EVENT_CFLAGS) $(OPENSSL_CFLAGS) $(JANSSON_CFLAGS)
test_http_LDADD = libhttpclient.la libbase.la $(CHECK_ALL_LIBS) $(OPENSSL_LIBS)

check_PROGRAMS += replay-http
TESTS += replay-http
EXTRA_DIST += %D%/base/corpus-http
replay_http_SOURCES = %D%/base/fuzz-http.c
replay_http_CPPFLAGS = $(AM_CPPFLAGS) $(EVENT_CFLAGS) $(OPENSSL_CFLAGS) $(JANSSON_CFLAGS) -DCORPUS='"$(srcdir)/%D%/base/corpus-http"'
replay_http_LDADD = libbase.la $(EVENT_LIBS) $(JANSSON_LIBS)
if FUZZERS
noinst_PROGRAMS += fuzz-http
fuzz_http_SOURCES = %D%/base/fuzz-http.c
fuzz_http_CPPFLAGS = $(AM_CPPFLAGS) $(EVENT_CFLAGS) $(OPENSSL_CFLAGS) $(JANSSON_CFLAGS) -DFUZZING
fuzz_http_LDFLAGS = -fsanitize=fuzzer
fuzz_http_LDADD = libbase.la $(EVENT_LIBS) $(JANSSON_LIBS)
endif
