# shellcheck shell=sh
# Sourced by the scripts at the top level: makes .venv where it is missing, or requirements.txt has
# changed, or the repository has moved. In: $root, the repository, and $name, the script. Out: $python.

: "${root:?}" "${name:?}"
python=$root/.venv/bin/python
stamp=$root/.venv/requirements.stamp

fail() {
    printf '%s: %s\n' "$name" "$1" >&2
    exit 1
}

# The newest Python from 3.11 on that can be run.
find_python() {
    newest='' minor=10
    for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
        found=$("$candidate" -c 'import sys; print(sys.version_info[1] * (sys.version_info[0] == 3))' 2>/dev/null) ||
            continue
        if [ "$found" -gt "$minor" ]; then
            newest=$candidate minor=$found
        fi
    done
    [ -n "$newest" ] || fail "Python 3.11 or newer is needed and was not found; install it and run this again"
}

# What the stamp holds when .venv is as it should be.
wanted() {
    printf '%s\n' "$root"
    cat -- "$root/requirements.txt"
}

announce() {
    printf '%s: installing what requirements.txt names into .venv; this takes a minute or two, once\n' "$name" >&2
}

make_environment() {
    find_python
    "$newest" -c 'import ensurepip, venv' 2>/dev/null ||
        fail "$newest has no venv module; on Debian and Ubuntu: apt-get install python3.$minor-venv"
    announce
    "$newest" -m venv --clear "$root/.venv" >"$log" 2>&1 || give_up "making .venv failed"
}

install_requirements() {
    (cd -- "$root" && "$python" -m pip install --quiet --disable-pip-version-check -r requirements.txt) >"$log" 2>&1 ||
        give_up "installing requirements.txt failed"
    make_aws
    wanted >"$stamp"
}

# The aws command, which pip writes with the path of .venv in its first line: a blank in it, and the kernel ends there.
make_aws() {
    # shellcheck disable=SC2016  # for the script that is written
    printf '%s\n' '#!/bin/sh' 'exec "$(dirname -- "$0")/python" -P -m awscli "$@"' >"$root/.venv/bin/aws"
    chmod +x -- "$root/.venv/bin/aws"
}

# The last error that a failed step has told, before pip's notes; the next run starts where the stamp is missing.
give_up() {
    reason=$(grep '^ *ERROR' "$log" | tail -n 1 | sed 's|^ *||')
    [ -n "$reason" ] || reason=$(grep -v '^ *$' "$log" | tail -n 1)
    rm -f -- "$stamp"
    fail "$1: ${reason:-no reason given}; all it said is in .venv.log"
}

if ! wanted | cmp -s - "$stamp"; then
    log=$root/.venv.log
    if ! "$python" -c '' 2>/dev/null || [ "$(head -n 1 "$stamp" 2>/dev/null)" != "$root" ]; then
        make_environment
    else
        announce
    fi
    install_requirements
    rm -f -- "$log"
fi
