# SPDX-License-Identifier: GPL-2.0-or-later
EXTRA_DIST += %D%/README.md %D%/run %D%/deps %D%/lib.sh %D%/netns/vnet %D%/netns/kill %D%/netns/https %D%/bench/router %D%/bench/router-dom0
