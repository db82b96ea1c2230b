#!/bin/sh
# A command that changes files, by the name it is called by: the laptop's own, within the machine's folders.

set -eu

name=${0##*/}
for word in "$@"; do
    case $word in
    */../* | */.. | ../* | ..) ;;
    "$INSTANCE_FOLDER"/* | "$TMPDIR" | "$TMPDIR"/* | /tmp/* | /dev/null | /dev/std*) continue ;;
    /*) ;;
    *) continue ;;
    esac
    printf '%s: %s is not a place of this machine; a script for root may write below /opt, /etc, /srv, /var and /home\n' \
        "$name" "$word" >&2
    exit 1
done
for folder in /usr/bin /bin; do
    [ ! -x "$folder/$name" ] || exec "$folder/$name" "$@"
done
printf '%s: not on this laptop\n' "$name" >&2
exit 127
