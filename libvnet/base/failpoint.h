/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lets a test kill a process where a crash would be worst: with XEBRA_FAILPOINT=PLACE in its environment it gets SIGKILL
 * when it comes to failpoint(PLACE).
 */
#ifndef XEBRA_BASE_FAILPOINT_H
#define XEBRA_BASE_FAILPOINT_H

void failpoint(const char *place);

#endif
