#!/bin/sh
# systemctl of a local instance: units are files in its folder, and those that run are written down there.

set -eu
PATH=/usr/bin:/bin

verb=${1-} unit=
[ $# -eq 0 ] || shift
for word in "$@"; do
    case $word in
    -*) ;;
    *) unit=${word%.service} ;;
    esac
done
case $verb in
daemon-reload) exit 0 ;;
enable | start | restart | stop | status | is-active) ;;
*)
    printf 'Unknown command verb %s.\n' "$verb" >&2
    exit 1
    ;;
esac
if [ ! -f "$INSTANCE_FOLDER/units/$unit.service" ]; then
    printf 'Failed to %s unit: Unit file %s.service does not exist.\n' "$verb" "$unit" >&2
    exit 1
fi
printf '%s %s.service\n' "$verb" "$unit" >>"$INSTANCE_FOLDER/systemctl"
