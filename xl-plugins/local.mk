# SPDX-License-Identifier: GPL-2.0-or-later
dist_bashcomp_DATA += %D%/completion/xebra
dist_xenscript_SCRIPTS += %D%/vif-xebra
TESTS += %D%/test-vif-xebra
EXTRA_DIST += %D%/README.md %D%/test-vif-xebra
