#!/bin/sh
# usage: ./run_tests.sh [--all] [PYTEST ARGUMENT...]
#
# Check the code (ruff, mypy, shellcheck), hold the templates against intents.yaml and run the tests, after
# making .venv where it is missing. Needs no AWS account, no network once .venv stands, leaves nothing running.
# --all runs the full counts (more random cases, more kills) instead of the quick setting.
# Further arguments go to pytest, and then only pytest runs: ./run_tests.sh tests/test_plan.py -x
# Exit status: 0 all passed, 1 something failed, 2 wrong usage, 130 interrupted.

set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
name=${0##*/}
case ${1-} in
-h | --help)
    sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
--all)
    shift
    AWS_VPC_TEST_ALL=1
    export AWS_VPC_TEST_ALL
    ;;
esac

# shellcheck source=aws_vpc/environment.sh
. "$root/aws_vpc/environment.sh"
cd "$root"
PATH="$root/.venv/bin:$PATH"
export PATH

status=0
if [ $# -eq 0 ]; then
    ruff check --quiet . || status=1
    mypy || status=1
    git ls-files -z '*.sh' | xargs -0 shellcheck -x || status=1
    "$python" -m aws_vpc check || status=1
    set -- --numprocesses 3 --dist loadfile --no-loadscope-reorder --quiet
fi
"$python" -m pytest "$@" || status=1
exit "$status"
