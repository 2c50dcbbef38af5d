# SPDX-License-Identifier: GPL-2.0-or-later
nobase_dist_pkgdata_DATA += %D%/netdd-a.cfg %D%/netdd-b.cfg %D%/blue/r1.cfg %D%/blue/r2.cfg %D%/blue/r3.cfg \
	%D%/blue/r4.cfg %D%/red/r2.cfg %D%/red/r3.cfg
nobase_dist_pkgdata_SCRIPTS += %D%/two-hosts.sh %D%/router-run %D%/netns-hosts
EXTRA_DIST += %D%/README.md %D%/demo
