#!/bin/sh
# usage: ./run_checkov.sh [FOLDER]
#
# Check the templates in FOLDER (templates/) with checkov. Its pins do not go together with those
# of this project, so it gets an environment of its own, .checkov/, of about 290 MB, made once.
# Prints what failed and what is skipped with which reason; $PYTHON names another python3.
#
# Exit status: 0 nothing failed, 1 checkov could not run, 2 wrong usage, 3 something failed.

set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
version=3.3.30
case ${1-} in
-h | --help)
    sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
-*)
    printf 'run_checkov.sh: unknown option %s; --help tells the usage\n' "$1" >&2
    exit 2
    ;;
esac
folder=${1:-$root/templates}
if [ "$#" -gt 1 ] || [ ! -d "$folder" ]; then
    printf 'run_checkov.sh: %s is not one folder; --help tells the usage\n' "$*" >&2
    exit 2
fi

made=$root/.checkov
if [ "$(cat "$made/version" 2>/dev/null || true)" != "$version" ]; then
    printf 'making %s with checkov %s\n' "$made" "$version" >&2
    "${PYTHON:-python3}" -m venv --clear "$made"
    "$made/bin/python" -m pip install --quiet --disable-pip-version-check "checkov==$version" >&2
    printf '%s\n' "$version" >"$made/version"
fi

# It exits 1 both for a failed check and for its own faults, so the report tells which it was.
"$made/bin/checkov" --directory "$folder" --framework cloudformation --skip-download --quiet --compact \
    --output json >"$made/report.json" || true
exec "$made/bin/python" - "$made/report.json" <<'PYTHON'
import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    report = json.load(file)
summary = report.get("summary", report)
results = report.get("results", {})
for check in results.get("skipped_checks", []):
    print(f"skipped  {check['check_id']:13} {check['file_path'].lstrip('/')}  {check['resource']}")
    print(f"         {check['check_result'].get('suppress_comment') or 'NO REASON'}")
for check in results.get("failed_checks", []):
    line = check["file_line_range"][0]
    print(f"FAILED   {check['check_id']:13} {check['file_path'].lstrip('/')}:{line}  {check['resource']}")
    print(f"         {check['check_name']}")
print(", ".join(f"{summary[key]} {key.replace('_', ' ')}" for key in ("passed", "failed", "skipped", "parsing_errors")))
if summary["parsing_errors"] or not summary["resource_count"]:
    print("run_checkov.sh: checkov could not read every template", file=sys.stderr)
    sys.exit(1)
unexplained = [one for one in results.get("skipped_checks", []) if not one["check_result"].get("suppress_comment")]
sys.exit(3 if summary["failed"] or unexplained else 0)
PYTHON
