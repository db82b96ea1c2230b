#!/bin/sh
# Start the pages; systemd waits until gunicorn says that it is ready.

set -eu

systemctl restart web.service
