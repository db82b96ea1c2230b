#!/bin/sh
# usage: ./update_stacks.sh [REPO-ROOT] [--local] [OPTION...]
#
# Bring changed templates, parameters, web pages and sample data to the stacks that stand. Only a
# child that has changed is updated; where nothing has changed, it says so. What would replace or
# delete something that exists, rules and routes aside, is asked for first, and refused without a
# terminal or --yes.
#
#   REPO-ROOT          path of the repository with the templates (the one of this script)
#   --local            the embedded AWS on this machine
#   --name NAME        with --local: the embedded AWS of this name
#   --param NAME=VALUE a parameter of templates/nested-stack.yaml; others keep their values
#   --refresh-images   take the newest image and platform, which replaces instances
#   --dry-run          show the plan and change nothing
#   --yes              ask nothing
#   --cancel           stop the update that is going on, and no more
#   --continue-rollback   go on with a rollback that has failed, then update
#   --skip RESOURCE    leave a resource (Nested.../Name) out of that rollback
#   --no-rollback      on a failure keep what has been made; run again to go on
#   --express          done as soon as resources are configured (CloudFormation's Express mode)
#   --expect-account ID   refuse any other account
#   --tags NAME=VALUE  --role-arn ARN  --stack-policy FILE  --skip-checks
#   --termination-protection  --no-termination-protection
#   --params FILE  --stack-name NAME  --region NAME  --profile NAME  --bucket NAME
#   --network-stack NAME  --timeout MINUTES  --no-wait  --json  --quiet  --debug
#
# Exit status: 0 done or nothing to do, 1 failed, 2 wrong usage, 3 refused, 130 interrupted.

set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
name=${0##*/}
case ${1-} in
-h | --help)
    sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
esac
# shellcheck source=aws_vpc/environment.sh
. "$root/aws_vpc/environment.sh"
exec "$python" -P -m aws_vpc update "$@"
