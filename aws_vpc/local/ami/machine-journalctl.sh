#!/bin/sh
# usage: journalctl --unit UNIT [--lines N]
#
# journalctl of a local machine: what a unit has written.

set -eu
PATH=/usr/bin:/bin

unit='' lines=1000
while [ $# -gt 0 ]; do
    case $1 in
    -u | --unit)
        unit=${2%.service}
        shift
        ;;
    -n | --lines)
        lines=$2
        shift
        ;;
    --unit=*)
        unit=${1#*=}
        unit=${unit%.service}
        ;;
    --lines=*) lines=${1#*=} ;;
    esac
    shift
done
[ -f "$LOGS_FOLDER/$unit-$INSTANCE_ID.log" ] || { printf '%s\n' '-- No entries --'; exit 0; }
tail -n "$lines" "$LOGS_FOLDER/$unit-$INSTANCE_ID.log"
