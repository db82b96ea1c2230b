"""The pages over both databases.

    create_app() ─ settings from the environment
                 ├ one Database per source (db.py), logins from Secrets Manager (secrets.py)
                 ├ blueprints home, people, health: request -> one query -> one template or JSON
                 └ around every answer: formats.py, headers.py, logs.py, errors.py
"""

import os

from flask import Flask

from . import db, errors, formats, headers, health, home, logs, people, secrets, settings


def create_app(config: settings.Settings | None = None) -> Flask:
    """The application, its databases not yet connected to; settings come from the environment."""
    config = config or settings.read(os.environ)
    app = Flask(__name__)
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    app.json.sort_keys = False  # type: ignore[attr-defined]  # as the query ordered them
    app.extensions["databases"] = databases(config)
    app.wsgi_app = formats.Suffix(app.wsgi_app)  # type: ignore[method-assign]
    for part in (logs, headers, errors, home):
        part.install(app)
    for blueprint in (home.bp, people.bp, health.bp):
        app.register_blueprint(blueprint)
    return app


def databases(config: settings.Settings) -> dict[str, db.Database]:
    """Both databases by the name they have in addresses."""
    manager = secrets.client(config.region)
    rds = db.rds(secrets.secret(manager, config.database_secret), config.threads)
    redshift = db.redshift(secrets.secret(manager, config.warehouse_secret), config.threads)
    return {rds.name: rds, redshift.name: redshift}
