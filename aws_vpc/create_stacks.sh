#!/bin/sh
# usage: sh aws_vpc/create_stacks.sh USERNAME PASSWORD ADDRESS REPO-ROOT [NAT] [ELASTIC-IP] [OPTION...]
#
# Create all stacks, with a master user of this name and password, open to ADDRESS (a.b.c.d/24).
# It hands over to ./create_stacks.sh at the top level, whose --help tells the rest.

set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
case ${1-} in
-h | --help)
    sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
esac
exec sh "$here/../create_stacks.sh" "$@"
