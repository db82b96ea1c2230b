#!/bin/sh
# curl of a local instance. The internet that it sees holds one object, in the bucket of AWS's that has the
# installer of the CodeDeploy agent; no other name resolves.

set -eu
PATH=/usr/bin:/bin

output='' address=''
while [ $# -gt 0 ]; do
    case $1 in
    -o | --output)
        output=$2
        shift
        ;;
    --retry | --max-time | --retry-delay | --connect-timeout | -m) shift ;;
    -*) ;;
    *) address=$1 ;;
    esac
    shift
done
case $address in
https://aws-codedeploy-*.s3.*.amazonaws.com*/latest/install) ;;
*)
    host=${address#*://}
    printf 'curl: (6) Could not resolve host: %s\n' "${host%%/*}" >&2
    exit 6
    ;;
esac
if [ -n "$output" ]; then
    exec >"$output"
fi
printf '# installer of the CodeDeploy agent\n'
