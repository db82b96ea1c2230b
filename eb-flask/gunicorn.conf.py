"""How gunicorn serves the pages, on Elastic Beanstalk, under systemd and on a laptop alike.

Threads, because one slow warehouse query must not hold a whole worker; somewhat fewer connections to each
database (web.settings), so that one that is slow leaves threads to the other. The application is loaded once
and the workers share its memory.
"""

import gc
import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from web import logs, settings

try:
    _settings = settings.read(os.environ)
except settings.SettingsError as error:
    sys.exit(f"error: {error}")

# Where Elastic Beanstalk's hook has put the certificates of RDS; elsewhere the environment says.
if Path("/etc/web/rds.pem").exists():
    os.environ.setdefault("PGSSLROOTCERT", "/etc/web/rds.pem")

bind = f"{os.environ.get('BIND_ADDRESS') or '0.0.0.0'}:{os.environ.get('PORT') or '8000'}"
worker_class = "web.workers.BalancedWorker"
# Only a load balancer that ends TLS writes this header itself; elsewhere it is any client's word.
secure_scheme_headers = {"X-FORWARDED-PROTO": "https"} if os.environ.get("WEB_TLS_AHEAD") == "true" else {}
workers = int(os.environ.get("WEB_CONCURRENCY") or min(os.cpu_count() or 1, 4))
threads = _settings.threads
preload_app = True
control_socket_disable = True
timeout = 60
graceful_timeout = 20
keepalive = 65
max_requests_jitter = 0
logconfig_dict = logs.configuration()


def when_ready(server: Any) -> None:
    """What is loaded by now stays: the collector need not go through it again, nor unshare its memory."""
    gc.collect()
    gc.freeze()


def child_exit(server: Any, worker: Any) -> None:
    """A worker has ended: the others no longer wait for it."""
    worker.leave()
