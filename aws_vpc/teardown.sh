#!/bin/sh
# usage: sh aws_vpc/teardown.sh [OPTION...]
#
# Delete the root stack Nested-RDS-Redshift-EC2-VPC and the stacks in it.
# It hands over to ./teardown.sh at the top level, whose --help tells the rest.

set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
case ${1-} in
-h | --help)
    sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
esac
exec sh "$here/../teardown.sh" "$@"
