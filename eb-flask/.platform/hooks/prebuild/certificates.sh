#!/bin/sh
# Elastic Beanstalk runs this before it installs a revision: put the certificates of RDS where
# gunicorn.conf.py tells libpq to find them. Redshift's driver brings its own.

set -eu

authorities=https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem

install -d -m 0755 /etc/web
curl --fail --silent --show-error --retry 5 --max-time 60 --output /etc/web/rds.pem.new "$authorities"
grep -q 'BEGIN CERTIFICATE' /etc/web/rds.pem.new
chmod 0644 /etc/web/rds.pem.new
mv /etc/web/rds.pem.new /etc/web/rds.pem
