"""The warehouse's process: python -m aws_vpc.local.warehouse --server-port 5433 --ready FILE ...

Listens on loopback, and when it does says so in the ready file: {"pid": 1, "port": 5439}. The S3 that
COPY reads is the one of the environment (AWS_ENDPOINT_URL and credentials).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import ssl
from pathlib import Path

from aws_vpc.local.warehouse.config import Config
from aws_vpc.local.warehouse.session import READ, serve


def main() -> int:
    """Serve until a signal ends the process: it keeps nothing, and PostgreSQL rolls back what was open."""
    asyncio.run(_run(_arguments()))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m aws_vpc.local.warehouse", description=__doc__)
    add = parser.add_argument
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=0, help="0, or a port that is taken: a free one")
    add("--server-host", default="127.0.0.1")
    add("--server-port", type=int, required=True)
    add("--certificate", type=Path, required=True)
    add("--key", type=Path, required=True)
    add("--state", type=Path, help="JSON with the cluster's IAM roles; without it any role may load")
    add("--ready", type=Path, required=True)
    return parser.parse_args()


async def _run(arguments: argparse.Namespace) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(arguments.certificate, arguments.key)
    config = Config(arguments.server_host, arguments.server_port, context, arguments.state)
    server = await _listen(config, arguments.host, arguments.port)
    _announce(arguments.ready, server.sockets[0].getsockname()[1])
    asyncio.get_running_loop().run_in_executor(None, _warm_up)
    await server.serve_forever()


async def _listen(config: Config, host: str, port: int) -> asyncio.Server:
    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await serve(config, reader, writer)

    try:
        return await asyncio.start_server(session, host, port, limit=READ)
    except OSError:
        if not port:
            raise
        return await asyncio.start_server(session, host, 0, limit=READ)


def _warm_up() -> None:
    """Bring botocore and its client before the first COPY waits for them."""
    from aws_vpc.local.warehouse import s3_objects

    s3_objects.client()


def _announce(path: Path, port: int) -> None:
    draft = path.with_name(path.name + ".new")
    draft.write_text(json.dumps({"pid": os.getpid(), "port": port}))
    draft.replace(path)


if __name__ == "__main__":
    raise SystemExit(main())
