#!/bin/sh
# Make the machine ready: a newer Python beside the system's 3.9, the user that serves the pages,
# and an empty folder, so that no file of the revision before stays behind.

set -eu

type python3.13 >/dev/null 2>&1 || dnf install --assumeyes --quiet python3.13
id web >/dev/null 2>&1 || useradd --system --home-dir /opt/web --no-create-home --shell /sbin/nologin web
rm -rf /opt/web/release
install -d -m 0755 /opt/web /opt/web/release
