# SPDX-License-Identifier: GPL-2.0-or-later
if HAVE_VIRT
# Linked into xebrad and into the tests.
noinst_LTLIBRARIES += libdomain-virt.la
libdomain_virt_la_SOURCES = %D%/domain-virt.c %D%/virt-worker.c %D%/virt-worker.h %D%/virt-xml.c %D%/virt-xml.h
libdomain_virt_la_CPPFLAGS = $(AM_CPPFLAGS) $(VIRT_CFLAGS) $(EVENT_CFLAGS) $(JANSSON_CFLAGS)
libdomain_virt_la_LIBADD = $(VIRT_LIBS) $(EVENT_LIBS) $(JANSSON_LIBS) -lpthread

virt_test_cppflags = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(VIRT_CFLAGS) $(EVENT_CFLAGS) $(JANSSON_CFLAGS)
virt_test_libs = libdomain-virt.la libxebra.la $(CHECK_LIBS)
check_PROGRAMS += test-virt-xml test-virt-worker test-domain-virt test-domain-virt-qemu
TESTS += test-virt-xml test-virt-worker test-domain-virt test-domain-virt-qemu
test_virt_xml_SOURCES = %D%/test-virt-xml.c
test_virt_xml_CPPFLAGS = $(virt_test_cppflags)
test_virt_xml_LDADD = $(virt_test_libs)
test_virt_worker_SOURCES = %D%/test-virt-worker.c
test_virt_worker_CPPFLAGS = $(virt_test_cppflags)
test_virt_worker_LDADD = $(virt_test_libs)
test_domain_virt_SOURCES = %D%/test-domain-virt.c
test_domain_virt_CPPFLAGS = $(virt_test_cppflags)
test_domain_virt_LDADD = $(virt_test_libs)
# The same against a real libvirtd, if there is one.
test_domain_virt_qemu_SOURCES = %D%/test-domain-virt.c
test_domain_virt_qemu_CPPFLAGS = $(virt_test_cppflags) -DTEST_URI='"qemu:///system"'
test_domain_virt_qemu_LDADD = $(virt_test_libs)
endif
