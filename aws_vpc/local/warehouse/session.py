"""One client's session: TLS and start-up on this side, a PostgreSQL session on the other.

    client  --TLS-->  Session  --loopback-->  PostgreSQL

Passwords are never seen here: scram goes end to end. Statements are rewritten or refused (`sql`), and
when PostgreSQL asks for the data of a COPY, it gets the objects from S3 while the client waits.
"""

from __future__ import annotations

import asyncio
import ssl
import struct
import traceback
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

from aws_vpc.local.warehouse import messages
from aws_vpc.local.warehouse.config import Config
from aws_vpc.local.warehouse.copy_statement import Copy
from aws_vpc.local.warehouse.refusal import INTERNAL_ERROR, Refusal
from aws_vpc.local.warehouse.sql import rewrite

READ = 1 << 18
KEPT = frozenset(
    (b"user", b"database", b"application_name", b"client_encoding", b"options", b"DateStyle", b"TimeZone",
     b"extra_float_digits", b"statement_timeout")
)  # fmt: skip
SERVER_VERSION = b"8.0.2"
FLUSH = messages.frame(b"H")  # or PostgreSQL keeps its answer until a Sync that the client has yet to send
LOAD_ERRORS = "Check 'sys_load_error_detail' system table for details."
MARK = "refused_by_the_warehouse_"
_FROM_CLIENT = frozenset(b"QPBEC")
_FROM_SERVER = frozenset(b"RSGCEZ")


class Session:
    """The state of one client's connection."""

    def __init__(self, config: Config, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.config, self.reader, self.writer = config, reader, writer
        self.server_reader: asyncio.StreamReader
        self.server: asyncio.StreamWriter
        self.user = ""
        self.driver = False  # redshift_connector, which needs the SCRAM list in a form of its own
        self.prepared: dict[bytes, Copy | None] = {}
        self.portals: dict[bytes, Copy | None] = {}
        self.refusals: dict[str, Refusal] = {}
        self.failed = False  # an error since the last ReadyForQuery: PostgreSQL skips until Sync
        self.events: asyncio.Queue[bytes] | None = None  # set while the client waits for a COPY
        self.loading: Copy | None = None
        self.reason: Refusal | None = None  # why we broke a COPY off

    # ------------------------------------------------------------ start and end

    async def run(self) -> None:
        """Serve the client until either side ends."""
        parameters = await self._greet()
        if parameters is None:
            return
        try:
            self.server_reader, self.server = await self._connect()
        except OSError as error:
            self._refuse(
                Refusal(f"the cluster's database does not answer: {error.strerror or error}", "08001")
            )
            return
        self.server.write(messages.startup({k: v for k, v in parameters.items() if k in KEPT}))
        tasks = {asyncio.create_task(self._from_client()), asyncio.create_task(self._from_server())}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.server.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(self.config.server_host, self.config.server_port, limit=READ)

    async def _greet(self) -> dict[bytes, bytes] | None:
        """The client's start-up parameters, after TLS; None when there is to be no session."""
        secure = False
        while True:
            length, code = messages.STARTUP.unpack(await self.reader.readexactly(8))
            if not 8 <= length <= messages.LONGEST_STARTUP:
                self._refuse(Refusal("invalid length of startup packet", "08P01"))
                return None
            packet = messages.STARTUP.pack(length, code) + await self.reader.readexactly(length - 8)
            if code == messages.GSS_REQUEST:
                self.writer.write(b"N")
            elif code == messages.SSL_REQUEST and not secure:
                self.writer.write(b"S")
                await self.writer.start_tls(self.config.tls)
                secure = True
            elif code == messages.CANCEL_REQUEST:
                await self._cancel(packet)
                return None
            elif not secure:
                self._refuse(Refusal("SSL connection is required, no encryption", "28000"))
                return None
            else:
                return self._identify(messages.startup_parameters(packet))

    def _identify(self, parameters: dict[bytes, bytes]) -> dict[bytes, bytes]:
        self.driver = b"client_protocol_version" in parameters
        self.user = parameters.get(b"user", b"").decode(errors="replace")
        return parameters

    def _refuse(self, refusal: Refusal) -> None:
        self.writer.write(messages.error(refusal, "FATAL"))

    async def _cancel(self, packet: bytes) -> None:
        with suppress(OSError):
            _, server = await self._connect()
            server.write(packet)
            await server.drain()
            server.close()

    # ------------------------------------------------------------ client -> server

    async def _from_client(self) -> None:
        """Pass the client's messages on, statements as PostgreSQL is to have them."""
        buffer = bytearray()
        while data := await self.reader.read(READ):
            buffer += data
            for run, message in messages.cut_off(buffer, _FROM_CLIENT):
                self.server.write(run)
                if message:
                    await self._client_message(message[0], message)
            await self.server.drain()

    async def _client_message(self, kind: int, message: bytes) -> None:
        """Write one message to PostgreSQL, changed where it must be, and wait when it starts a COPY."""
        if kind == ord("Q"):
            text, copies = self._statement(message[5:-1])
            await self._send(messages.frame(b"Q", text + b"\0"), copies, until=b"Z")
            return
        if kind == ord("P"):
            name, _, rest = message[5:].partition(b"\0")
            text, _, types = rest.partition(b"\0")
            text, copies = self._statement(text)
            self.prepared[name] = copies[0] if copies else None
            message = messages.frame(b"P", name + b"\0" + text + b"\0" + types)
        elif kind == ord("B"):
            portal, name = message[5:].split(b"\0", 2)[:2]
            self.portals[portal] = self.prepared.get(name)
        elif kind == ord("C"):
            (self.prepared if message[5:6] == b"S" else self.portals).pop(message[6:-1], None)
        elif copy := self.portals.get(message[5:].partition(b"\0")[0]):
            await self._send(message, (copy,), until=b"CE")
            return
        self.server.write(message)

    def _statement(self, text: bytes) -> tuple[bytes, Sequence[Copy]]:
        """The statement for PostgreSQL and its COPYs; a refused one becomes an error that we know again."""
        try:
            done = rewrite(text.decode())
        except UnicodeDecodeError:
            return text, ()
        except Refusal as refusal:
            mark = f"{MARK}{len(self.refusals)}"
            self.refusals[mark] = refusal
            return mark.encode(), ()
        return done.text.encode(), done.copies

    async def _send(self, message: bytes, copies: Sequence[Copy], until: bytes) -> None:
        """Write a message, and when it has COPYs feed them before anything else of the client's is sent."""
        if not copies or self.failed:
            self.server.write(message)
            return
        self.events, waiting = asyncio.Queue(), deque(copies)
        feeding: asyncio.Task[None] | None = None
        self.server.write(message)
        try:
            while (event := await self.events.get()) not in until:
                if event == b"G" and waiting:
                    self.loading, self.reason = waiting.popleft(), None
                    feeding = asyncio.create_task(self._feed(self.loading))
                elif event == b"E" and feeding:
                    feeding.cancel()
        finally:
            self.events = self.loading = None
            if feeding:
                feeding.cancel()
                await asyncio.gather(feeding, return_exceptions=True)

    async def _feed(self, copy: Copy) -> None:
        """Send the objects as COPY data, or break the COPY off with the reason."""
        try:
            from aws_vpc.local.warehouse.s3_objects import chunks  # brings botocore, which takes its time

            self.config.authorise(copy, self.user)
            pieces = chunks(copy)
            while piece := await asyncio.to_thread(next, pieces, None):
                if self.writer.is_closing():
                    raise Refusal("the client went away", "57014")
                self.server.write(messages.copy_data(piece))
                await self.server.drain()
            self.server.write(messages.frame(b"c") + FLUSH)
        except Exception as error:  # whatever it is, PostgreSQL waits for data and must not wait for ever
            self.reason = error if isinstance(error, Refusal) else _internal(error)
            self.server.write(messages.frame(b"f", b"broken off by the warehouse\0") + FLUSH)

    # ------------------------------------------------------------ server -> client

    async def _from_server(self) -> None:
        """Pass PostgreSQL's messages on, as a cluster would word them."""
        buffer = bytearray()
        while data := await self.server_reader.read(READ):
            buffer += data
            for run, message in messages.cut_off(buffer, _FROM_SERVER):
                self.writer.write(run + self._server_message(message) if message else run)
            await self.writer.drain()

    def _server_message(self, message: bytes) -> bytes:
        """The message for the client; empty when it is not for it."""
        kind = message[:1]
        if kind == b"R":
            return self._authentication(message)
        if kind == b"S":
            return _parameter(message)
        if kind in b"EZ":
            self.failed = kind == b"E"
        loading = self.loading
        if self.events is not None:
            self.events.put_nowait(kind)
            if kind == b"G":
                return b""
            if kind == b"C" and loading and message[5:].startswith(b"COPY "):
                count = message[10:-1].decode()
                text = f"Load into table '{loading.table}' completed, {count} record(s) loaded successfully."
                return messages.notice(text) + message
        return self._error(message, loading) if kind == b"E" else message

    def _authentication(self, message: bytes) -> bytes:
        """AuthenticationSASL without the mechanism that binds to TLS, in the form the client can read."""
        if messages.LENGTH.unpack_from(message, 5)[0] != 10:
            return message
        end = b"" if self.driver else b"\0"  # the driver takes the last NUL for one more, empty name
        return messages.frame(b"R", messages.LENGTH.pack(10) + b"SCRAM-SHA-256\0" + end)

    def _error(self, message: bytes, loading: Copy | None) -> bytes:
        """PostgreSQL's error, or ours where PostgreSQL only stands in for it."""
        fields = messages.error_fields(message)
        for mark in [mark for mark in self.refusals if f'"{mark}"' in fields["M"]]:
            return messages.error(self.refusals.pop(mark))
        if loading and self.reason:
            return messages.error(self.reason)
        if loading and fields["C"].startswith("22"):
            text = f"Load into table '{loading.table}' failed.  {LOAD_ERRORS}"
            detail = f"{fields['M']}; {fields.get('W', '').splitlines()[0] if fields.get('W') else ''}"
            return messages.error(Refusal(text, INTERNAL_ERROR, detail))
        return message


def _internal(error: Exception) -> Refusal:
    """The client's word of a bug or a broken server; the log has the rest."""
    traceback.print_exception(error)
    return Refusal(f"COPY failed: {type(error).__name__}: {error}", INTERNAL_ERROR)


def _parameter(message: bytes) -> bytes:
    """ParameterStatus: the version of a cluster, and text as the form of results."""
    if not message[5:].startswith(b"server_version\0"):
        return message
    return messages.frame(b"S", b"server_version\0" + SERVER_VERSION + b"\0") + messages.frame(
        b"S", b"server_protocol_version\x000\0"
    )


async def serve(config: Config, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Run one session and close the connection, whatever happens."""
    session = Session(config, reader, writer)
    try:
        await session.run()
    except (asyncio.IncompleteReadError, OSError, ssl.SSLError, struct.error):
        pass  # the client went away or speaks something else
    finally:
        writer.close()
        with suppress(OSError, ssl.SSLError):
            await writer.wait_closed()
