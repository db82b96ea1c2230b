#!/bin/sh
# usage: sh aws_vpc/update_stacks.sh REPO-ROOT [OPTION...]
#
# Update the stacks to the templates in REPO-ROOT; parameters keep their values.
# It hands over to ./update_stacks.sh at the top level, whose --help tells the rest.

set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
case ${1-} in
-h | --help)
    sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
esac
exec sh "$here/../update_stacks.sh" "$@"
