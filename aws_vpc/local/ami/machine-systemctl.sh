#!/bin/sh
# systemctl of a local machine: asks the embedded AWS, which runs the units, by the pipe of the script that it
# runs, and says what that answers: "STATUS TEXT" in one line, the line ends of the text written as \n.

set -eu

printf '%s\n' "$*" >"/dev/fd/$SYSTEMD_ASKED"
IFS=' ' read -r status text <"/dev/fd/$SYSTEMD_ANSWER"
[ -z "$text" ] || if [ "$status" = 0 ]; then
    printf '%b\n' "$text"
else
    printf '%b\n' "$text" >&2
fi
exit "$status"
