"""The pages over both databases.

create_app() ─ settings from the environment
             ├ one Database per source (db.py), logins from Secrets Manager (secrets.py)
             ├ the data bucket (bucket.py) and the deployed network (facts.py), where they are told
             ├ blueprints home, people, comparison, connectivity, loads, health:
             │     request -> one query -> one template or JSON
             └ around every answer: formats.py, headers.py, logs.py, hosts.py, signin.py, errors.py
"""

import os
from collections.abc import Callable
from typing import Any

from flask import Flask

from . import (
    bucket,
    comparison,
    connectivity,
    db,
    errors,
    formats,
    headers,
    health,
    home,
    hosts,
    loads,
    logs,
    people,
    secrets,
    settings,
    signin,
    upload,
)


class Pages(Flask):
    """Flask with requests whose uploads wait in the folder that the settings name."""

    request_class = upload.Upload

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function as it is: no view here is a coroutine, so no request has to look."""
        return func


def create_app(config: settings.Settings | None = None) -> Flask:
    """The application, its databases not yet connected to; settings come from the environment."""
    config = config or settings.read(os.environ)
    app = Pages(__name__)
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    app.json.sort_keys = False  # type: ignore[attr-defined]  # as the query ordered them
    manager, s3 = secrets.client(config.region, config.answer_seconds / 2), bucket.client(config.region)
    app.extensions |= {
        "databases": databases(config, manager),
        "network": config.network,
        "upload": config.upload,
        "bucket": bucket.Bucket(s3, config.bucket),
        "clients": {"secretsmanager": manager, "s3": s3},
    }
    around = logs.Requests(headers.Headers(formats.Suffix(app.wsgi_app)))
    app.wsgi_app = around  # type: ignore[method-assign]
    for part in (headers, errors, home, comparison):
        part.install(app)
    hosts.install(app, config.hosts)
    signin.install(app, signin.users(manager, config.auth_secret) if config.auth_secret else None)
    for blueprint in (home.bp, comparison.bp, connectivity.bp, loads.bp, health.bp, people.bp):
        app.register_blueprint(blueprint)
    return app


def databases(config: settings.Settings, manager: Any) -> dict[str, db.Database]:
    """The databases by the name they have in addresses; the warehouse where there is one."""
    limits = db.Limits(config.connections, config.answer_seconds)
    found = [db.rds(secrets.secret(manager, config.database_secret), limits)]
    if config.warehouse_secret:
        found.append(db.redshift(secrets.secret(manager, config.warehouse_secret), limits))
    return {database.name: database for database in found}
