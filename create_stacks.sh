#!/bin/sh
# usage: ./create_stacks.sh --local [OPTION...]
#        ./create_stacks.sh --param WebIngressCidr=a.b.c.d/32 [OPTION...]
#        ./create_stacks.sh USERNAME PASSWORD ADDRESS REPO-ROOT [NAT] [ELASTIC-IP] [OPTION...]
#
# Create the root stack Nested-RDS-Redshift-EC2-VPC and all stacks in it, release the web pages and
# load the sample data. Run again, it changes nothing and says so.
#
#   --local            everything on this machine, with an embedded AWS that needs no account
#   --delay FACTOR     with --local: resources take FACTOR of their time on AWS, 1 all of it, 0 none
#   USERNAME PASSWORD  master user of both databases; PASSWORD - is read from standard input
#   ADDRESS            who may open the web page: a.b.c.d/24, a.b.c.d/32 or a.b.c.d
#   REPO-ROOT          path of this repository
#   NAT ELASTIC-IP     true or false: make a NAT gateway, an Elastic IP (true)
#   --param NAME=VALUE a parameter of templates/nested-stack.yaml; --params FILE reads many
#   --keep             with --local: keep the state; `python -m aws_vpc local start` brings it back
#   --name NAME        with --local: the embedded AWS of this name, beside others
#   --dry-run          show the plan and make no stack
#   --yes              ask nothing
#   --no-rollback      on a failure keep what has been made; ./update_stacks.sh goes on from there
#   --express          done as soon as resources are configured (CloudFormation's Express mode)
#   --expect-account ID   refuse any other account
#   --tags NAME=VALUE  --role-arn ARN  --stack-policy FILE  --skip-checks
#   --termination-protection  --no-termination-protection
#   --stack-name NAME  --region NAME  --profile NAME  --bucket NAME  --network-stack NAME
#   --repo-root PATH   --timeout MINUTES  --no-wait  --json  --quiet  --debug
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

# The second word that is no option is the password: it goes on through the environment, because
# every user of the machine can read the arguments of a process.
words=0 takes_value=no
for word do
    shift
    if [ "$takes_value" = yes ]; then
        takes_value=no
    else
        case $word in
        --name | --param | --params | --stack-name | --region | --profile | --bucket | --network-stack | --repo-root | --timeout | \
            --tags | --role-arn | --stack-policy | --expect-account | --delay)
            takes_value=yes
            ;;
        -?*) ;;
        *)
            words=$((words + 1))
            if [ "$words" -eq 2 ] && [ "$word" != - ]; then
                AWS_VPC_MASTER_PASSWORD=$word
                export AWS_VPC_MASTER_PASSWORD
                word=-
                printf '%s: note: %s\n' "$name" "a password on the command line can be read in the process list; give - instead and type it or pipe it in" >&2
            fi
            ;;
        esac
    fi
    set -- "$@" "$word"
done

# shellcheck source=aws_vpc/environment.sh
. "$root/aws_vpc/environment.sh"
exec "$python" -P -m aws_vpc create "$@"
