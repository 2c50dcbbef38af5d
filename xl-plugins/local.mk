# SPDX-License-Identifier: GPL-2.0-or-later
dist_bashcomp_DATA += %D%/completion/xebra
