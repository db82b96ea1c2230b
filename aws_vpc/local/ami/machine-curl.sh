#!/bin/sh
# curl of a local machine. Its internet holds the certificates of RDS, which here are those of the embedded
# databases, and the metadata of the instance; it reaches itself. No other name resolves.

set -eu

for word in "$@"; do
    case $word in
    http://127.0.0.1[:/]* | http://localhost[:/]*)
        exec "$LAPTOP_PYTHON" -I "$IMAGE_FOLDER/../machine_curl.py" "$@"
        ;;
    esac
done
output='' address=''
while [ $# -gt 0 ]; do
    case $1 in
    -o | --output)
        output=$2
        shift
        ;;
    -X | -H | -m | --request | --header | --retry | --retry-delay | --max-time | --connect-timeout) shift ;;
    -*) ;;
    *) address=$1 ;;
    esac
    shift
done
[ -z "$output" ] || exec >"$output"
case $address in
https://truststore.pki.rds.amazonaws.com/*.pem) cat "$PGSSLROOTCERT" ;;
http://169.254.169.254/latest/api/token) printf 'local-token' ;;
http://169.254.169.254/latest/meta-data/placement/region) printf '%s' "$AWS_REGION" ;;
http://169.254.169.254/latest/meta-data/instance-id) printf '%s' "$INSTANCE_ID" ;;
http://169.254.169.254/*)
    printf 'curl: (22) The requested URL returned error: 404\n' >&2
    exit 22
    ;;
*)
    host=${address#*://}
    printf 'curl: (6) Could not resolve host: %s\n' "${host%%/*}" >&2
    exit 6
    ;;
esac
