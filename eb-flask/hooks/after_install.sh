#!/bin/sh
# Install what the revision needs: its packages, its settings, the certificates of RDS, its unit.
#
# The settings are the lines KEY=VALUE of the parameter /APPLICATION_NAME/web/environment. They name
# secrets, they do not hold them: the pages read those themselves.

set -eu

metadata=http://169.254.169.254/latest
authorities=https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem
release=/opt/web/release
settings=/etc/web/environment

# Packages: a new environment each time, put in place only when it is whole.
rm -rf /opt/web/venv
python3.13 -m venv /opt/web/venv
/opt/web/venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement "$release/requirements.txt"
/opt/web/venv/bin/python -m compileall -q "$release/web"

# Certificates: libpq verifies RDS against them. Redshift's driver brings its own.
install -d -m 0755 /etc/web
curl --fail --silent --show-error --retry 5 --max-time 60 --output /etc/web/rds.pem.new "$authorities"
grep -q 'BEGIN CERTIFICATE' /etc/web/rds.pem.new
chmod 0644 /etc/web/rds.pem.new
mv /etc/web/rds.pem.new /etc/web/rds.pem

# Settings.
token=$(curl --fail --silent --show-error --retry 5 --max-time 10 --request PUT \
    --header 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$metadata/api/token")
region=$(curl --fail --silent --show-error --retry 5 --max-time 10 \
    --header "X-aws-ec2-metadata-token: $token" "$metadata/meta-data/placement/region")
umask 077
aws ssm get-parameter --region "$region" --name "/$APPLICATION_NAME/web/environment" \
    --query Parameter.Value --output text >"$settings.new"
printf 'PGSSLROOTCERT=%s\n' /etc/web/rds.pem >>"$settings.new"
mv "$settings.new" "$settings"

# Unit.
install -m 0644 "$release/systemd/web.service" /etc/systemd/system/web.service
systemctl daemon-reload
systemctl enable --quiet web.service
