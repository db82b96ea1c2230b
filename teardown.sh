#!/bin/sh
# usage: ./teardown.sh [--local] [--yes] [OPTION...]
#
# Delete the root stack Nested-RDS-Redshift-EC2-VPC, then the stacks in it, which it retains, in
# reverse order of their dependencies. Asks for the stack's name first, unless --yes. With --local
# the embedded AWS ends, too. Safe to run twice.
#
#   --dry-run          list what goes and what is kept, and delete nothing
#   --purge-data       empty the buckets that the stacks own and that go with them
#   --no-snapshots     delete the databases' final snapshots, too
#   --retain RESOURCE  after a deletion that failed: leave this resource (Nested.../Name) standing
#   --no-termination-protection   turn the root's protection off first (--termination-protection: on)
#   --role-arn ARN     role that CloudFormation acts in
#   --expect-account ID   refuse any other account
#   --name NAME        with --local: the embedded AWS of this name
#   --stack-name NAME  the root stack, when it has another name
#   --region NAME  --profile NAME  --timeout MINUTES  --no-wait  --json  --quiet  --debug
#
# Exit status: 0 done or nothing to do, 1 failed, 2 wrong usage, 3 refused, 130 interrupted.

set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
name=${0##*/}
case ${1-} in
-h | --help)
    sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
esac
# shellcheck source=aws_vpc/environment.sh
. "$root/aws_vpc/environment.sh"
exec "$python" -P -m aws_vpc teardown "$@"
