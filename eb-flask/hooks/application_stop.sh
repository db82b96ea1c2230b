#!/bin/sh
# Stop the pages. CodeDeploy runs this from the revision before, so on a new machine never;
# a machine without the unit has nothing to stop.

set -eu

if systemctl cat web.service >/dev/null 2>&1; then
    systemctl stop web.service
fi
