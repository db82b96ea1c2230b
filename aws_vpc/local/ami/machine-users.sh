#!/bin/sh
# id, useradd, groupadd and usermod of a local machine: its users are lines of a file, root is always there.

set -eu
PATH=/usr/bin:/bin

name=''
for word in "$@"; do
    name=$word # the last one
done
known() { [ "$1" = root ] || grep -qx "$1" "$INSTANCE_FOLDER/users" 2>/dev/null; }
case ${0##*/} in
id)
    case $name in
    -u) printf '0\n' ;;
    -un) printf 'root\n' ;;
    '' | -*) printf 'uid=0(root) gid=0(root) groups=0(root)\n' ;;
    *)
        known "$name" || { printf 'id: %s: no such user\n' "$name" >&2; exit 1; }
        printf 'uid=990(%s) gid=990(%s)\n' "$name" "$name"
        ;;
    esac
    ;;
useradd)
    ! known "$name" || { printf "useradd: user '%s' already exists\n" "$name" >&2; exit 9; }
    printf '%s\n' "$name" >>"$INSTANCE_FOLDER/users"
    ;;
esac
