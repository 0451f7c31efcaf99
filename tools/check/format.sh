#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# format.sh -i | --check: clang-format over the project's C++ (not over kernel C, which has its own style and no formatter here).
cd "$(dirname "$0")/../.." || exit 1
case $1 in
-i) flags=-i ;;
--check) flags='--dry-run -Werror' ;;
*) echo "format.sh -i | --check" >&2; exit 2 ;;
esac
find module/core tools ktests -name '*.cpp' -print -o -path module/core/abi -prune -o -name '*.h' -path 'module/core/*' -print \
	-o -name '*.h' -path 'tools/atcp/*' -print -o -name '*.h' -path 'tools/sim/*' -print | xargs -r clang-format $flags
