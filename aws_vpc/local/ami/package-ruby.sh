#!/bin/sh
# usage: ruby INSTALLER auto
#
# The ruby of a local instance runs one program, the installer of the CodeDeploy agent, which leaves a unit.

set -eu
PATH=/usr/bin:/bin

if [ ! -f "${1-}" ] || ! grep -q '^# installer of the CodeDeploy agent$' "$1"; then
    printf 'ruby: a local instance runs the installer of the CodeDeploy agent only, not %s\n' "${1-}" >&2
    exit 1
fi
touch "$INSTANCE_FOLDER/units/codedeploy-agent.service"
printf 'Installed: codedeploy-agent\n'
