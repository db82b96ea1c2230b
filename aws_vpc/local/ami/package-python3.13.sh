#!/bin/sh
# usage: python3.13 -m venv FOLDER | FOLDER/bin/python -m pip install ... | python3.13 ARGUMENTS...
#
# python3.13 of a local machine: the laptop's own interpreter, whatever its version, with the packages that it
# has. A virtual environment is a folder whose commands lead there; pip looks whether the packages are there.

set -eu

case "${1-} ${2-}" in
'-m venv')
    for word in "$@"; do
        folder=$word # the last one
    done
    mkdir -p "$folder/bin"
    for name in python python3 python3.13; do
        # The laptop's own, for the program lies outside of the machine; mkdir has seen where the folder is.
        PATH=/usr/bin:/bin ln -sf "$IMAGE_FOLDER/package-python3.13.sh" "$folder/bin/$name"
    done
    ;;
'-m pip') exec "$LAPTOP_PYTHON" -I "$IMAGE_FOLDER/../machine_packages.py" "$(dirname "$0")" "$@" ;;
*) exec "$LAPTOP_PYTHON" "$@" ;;
esac
