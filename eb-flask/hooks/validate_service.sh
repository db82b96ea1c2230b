#!/bin/sh
# Fail the deployment unless the pages answer. Only the process is asked, not the databases: they may be
# away for reasons that another revision would not cure.

set -eu

port=$(sed -n 's/^PORT=//p' /etc/web/environment)
if ! curl --fail --silent --show-error --retry 20 --retry-delay 1 --retry-connrefused --max-time 5 \
    "http://127.0.0.1:${port:-8000}/healthz"; then
    journalctl --unit web.service --lines 30 --no-pager >&2
    exit 1
fi
