"""How what the embedded AWS remembers becomes bytes, and objects again.

    dump(roots, world, bodies)  -> bytes and the classes in them        load(bytes, world, bodies) -> roots

Objects of this project and of moto are pickled as they are. Four kinds are not:

- what belongs to a process (locks, threads, children, clients) is made anew or left out,
- what is there before any state (the world, moto's backends) is named and found again by its name,
- bodies of S3 objects are files of their own, written once,
- dictionaries with methods of their own are taken by what they hold, whatever those methods say.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import io
import pickle
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any

import cloudpickle
from botocore.client import BaseClient
from cryptography.hazmat.primitives import serialization
from moto.core.base_backend import BackendDict, BaseBackend
from moto.s3.models import FakeKey

from aws_vpc.local.cloudformation.walk import Walk
from aws_vpc.local.postgres_binaries import Installation
from aws_vpc.local.processes import Process, Processes

if TYPE_CHECKING:
    from aws_vpc.local.state_bodies import Bodies
    from aws_vpc.local.world import World

LOCK, RLOCK = type(threading.Lock()), type(threading.RLock())
GONE = (threading.Thread, Process, BaseClient, Walk)  # of one process: None in the next
HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE: a class written in Python
Reduced = tuple[Any, ...]


class Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    """Writes what is kept; `classes` then has the shape of every class of ours in it."""

    def __init__(self, file: io.BytesIO, world: World, bodies: Bodies) -> None:
        super().__init__(file, protocol=5)
        self._world, self._bodies = world, bodies
        self._owners = {id(part.owner): name for name, part in world.parts.items()}
        self.classes: dict[str, str] = {}

    def persistent_id(self, found: Any) -> Any:
        """The name of what is there before any state; None for all else."""
        if found is self._world:
            return ("world",)
        if id(found) in self._owners:
            return ("part", self._owners[id(found)])
        if isinstance(found, Path) and found.is_relative_to(self._world.root):
            return ("path", str(found.relative_to(self._world.root)))
        if isinstance(found, Processes):
            return ("processes",)
        if isinstance(found, Installation):
            return ("installation",)
        if found is self._world.certificates:
            return ("certificates",)
        if isinstance(found, BaseBackend):
            return ("backend", *backend_name(found))
        return None

    def reducer_override(self, found: Any) -> Any:
        """How to make it again, where pickle would not know or be wrong."""
        kind: Any = type(found)
        if kind is LOCK or kind is RLOCK:
            return (threading.Lock if kind is LOCK else threading.RLock, ())
        if isinstance(found, threading.Condition):
            return (threading.Condition, (found._lock,))  # type: ignore[attr-defined]
        if isinstance(found, threading.Event):
            return (event, (found.is_set(),))
        if isinstance(found, GONE):
            return (nothing, ())
        if hasattr(kind, "private_bytes"):
            return (private_key, (private_bytes(found),))
        if isinstance(found, FakeKey):
            return key_parts(found, self._bodies)
        if isinstance(found, dict) and kind.__flags__ & HEAP_TYPE and not isinstance(found, OrderedDict):
            factory = getattr(found, "default_factory", None)
            return (bare_dict, (kind, factory), (vars(found), list(dict.items(found))), None, None, fill_dict)
        if kind.__module__.startswith("aws_vpc."):
            self.classes[f"{kind.__module__}.{kind.__qualname__}"] = shape(kind)
        return super().reducer_override(found)


class Unpickler(pickle.Unpickler):
    """Reads what a Pickler wrote."""

    def __init__(self, file: io.BytesIO, world: World, bodies: Bodies) -> None:
        super().__init__(file)
        self._world, self.bodies = world, bodies

    def find_class(self, module: str, name: str) -> Any:
        """As ever; the bodies of objects come from the folder of this state."""
        if (module, name) == (__name__, "bare_key"):
            return functools.partial(bare_key, self.bodies)
        return super().find_class(module, name)

    def persistent_load(self, name: Any) -> Any:
        """What has the name."""
        from aws_vpc.local import databases

        if name[0] == "backend":
            return backend(*name[1:])
        if name[0] == "part":
            return self._world.parts[name[1]].owner
        if name[0] == "path":
            return self._world.root / name[1]
        known: dict[str, Callable[[], Any]] = {
            "world": lambda: self._world,
            "processes": lambda: self._world.processes,
            "installation": lambda: databases.installation(self._world),
            "certificates": lambda: self._world.certificates,
        }
        return known[name[0]]()


def dump(roots: Any, world: World, bodies: Bodies) -> tuple[bytes, dict[str, str]]:
    """The bytes, and the shape of each class of ours in them."""
    file = io.BytesIO()
    pickler = Pickler(file, world, bodies)
    pickler.dump(roots)
    return file.getvalue(), pickler.classes


def load(data: bytes, world: World, bodies: Bodies) -> Any:
    """What was dumped."""
    return Unpickler(io.BytesIO(data), world, bodies).load()


@functools.cache
def shape(kind: Any) -> str:
    """A short text that changes when the attributes of a class do."""
    if is_dataclass(kind):
        names = [each.name for each in fields(kind)]
    else:
        made = [vars(each).get("__init__") for each in kind.__mro__]
        codes = [each.__code__ for each in made if isinstance(each, FunctionType)]
        names = [name for code in codes for name in (*code.co_names, *code.co_varnames)]
    return hashlib.sha256(" ".join(sorted(set(names))).encode()).hexdigest()[:12]


def shape_now(name: str) -> str | None:
    """The shape that a class has in this version of the program; None when it is not there."""
    module, _, qualified = name.rpartition(".")
    try:
        return shape(functools.reduce(getattr, qualified.split("."), importlib.import_module(module)))
    except (ImportError, AttributeError):
        return None


# ------------------------------------------------------------ moto's backends


def backend_name(found: BaseBackend) -> tuple[str, str, str, str]:
    """(module, service, account, region or partition) of a backend that its dictionary holds."""
    module = type(found).__module__
    for each in backend_dicts(module):
        for account, region, held in each.iter_backends():
            if held is found:
                return module, each.service_name, account, region
    raise pickle.PicklingError(f"{type(found).__name__} of {found.region_name} is in no dictionary")


def backend_dicts(module: str) -> list[Any]:
    """The dictionaries of backends that a module of moto's has."""
    return [each for each in vars(importlib.import_module(module)).values() if isinstance(each, BackendDict)]


def backend(module: str, service: str, account: str, region: str) -> BaseBackend:
    """The backend of the name, made when it is not there yet."""
    (found,) = (each for each in backend_dicts(module) if each.service_name == service)
    made: BaseBackend = found[account][region]
    return made


# ------------------------------------------------------------ how things are made again


def nothing() -> None:
    """None, in place of what belonged to a process."""


def event(is_set: bool) -> threading.Event:
    """An event that is set or not."""
    made = threading.Event()
    if is_set:
        made.set()
    return made


def bare_dict(kind: Any, factory: Any) -> Any:
    """A dictionary of the kind, empty, without a call of its __init__."""
    made = kind.__new__(kind)
    if factory is not None:
        made.default_factory = factory
    return made


def fill_dict(made: Any, state: tuple[dict[str, Any], list[tuple[Any, Any]]]) -> None:
    """Give a dictionary its attributes and what it holds."""
    attributes, items = state
    made.__dict__.update(attributes)
    dict.update(made, items)


def private_bytes(key: Any) -> bytes:
    """A private key as PEM."""
    return bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )


def private_key(pem: bytes) -> Any:
    """The private key that the PEM holds."""
    return serialization.load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True)  # it is our own


def key_parts(key: Any, bodies: Bodies) -> Reduced:
    """An S3 object by its attributes and the name of its body's file."""
    attributes = {name: value for name, value in vars(key).items() if name not in ("_value_buffer", "lock")}
    return (bare_key, (bodies.put(key),), attributes, None, None, fill_key)


def bare_key(bodies: Any, name: str | None = None) -> Any:
    """An S3 object with its body and nothing else."""
    made: Any = FakeKey.__new__(FakeKey)
    made.lock = threading.Lock()
    made._value_buffer = bodies.open(name)
    bodies.names[made] = name
    return made


def fill_key(made: Any, attributes: dict[str, Any]) -> None:
    """Give an S3 object its attributes."""
    made.__dict__.update(attributes)
