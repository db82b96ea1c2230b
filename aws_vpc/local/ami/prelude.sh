# Read by the restricted bash that runs user data: what the image has outside its PATH, as commands on it.
# A restricted shell refuses a command with a slash, but not a function of that name.
# shellcheck shell=bash

function /opt/aws/bin/cfn-signal { cfn-signal "$@"; }
