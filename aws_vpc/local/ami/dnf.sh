#!/bin/sh
# dnf and yum of a local instance. What is installed is written down in the instance's folder, and what the
# laptop can stand in for becomes a command there. No repository is asked, so every name counts as a package.

set -eu
PATH=/usr/bin:/bin

case ${1-} in
install | update | upgrade) shift ;;
*)
    printf 'No such command: %s\n' "${1-}" >&2
    exit 1
    ;;
esac
for package in "$@"; do
    case $package in
    -*) continue ;;
    esac
    printf 'Installed: %s\n' "$package"
    printf '%s\n' "$package" >>"$INSTANCE_FOLDER/packages"
    if [ -f "$IMAGE_FOLDER/package-$package.sh" ]; then
        ln -sf "$IMAGE_FOLDER/package-$package.sh" "$INSTANCE_FOLDER/bin/$package"
    fi
done
