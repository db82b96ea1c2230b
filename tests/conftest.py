"""What every test may rely on: an environment and a default session that no other test has touched.

Hypothesis draws the same examples in every run of the quick setting, so that what passes once passes again;
AWS_VPC_TEST_ALL draws new ones. However slow a machine is, that is no fault of what is tested.
"""

import gc
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import botocore.loaders
import botocore.session
import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "patient",
    deadline=None,
    derandomize=not os.environ.get("AWS_VPC_TEST_ALL"),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("patient")

# moto reads it once, when it is first imported, which may be in any module.
os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"


@pytest.fixture(scope="session")
def web_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Both databases and the services of the web pages, for every module that tests the pages."""
    from web_support import running_servers

    yield from running_servers(tmp_path_factory)


@pytest.fixture(scope="session")
def loader_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Both databases and S3, for every module that tests the loader and leaves them running."""
    from loader_support import servers

    with servers(tmp_path_factory.mktemp("loader")) as found:
        yield found


@pytest.fixture(scope="session")
def moto_bench() -> Iterator[Any]:
    """A moto server for every module that tests the providers of types moto has."""
    from providers_bench import serving

    yield from serving()


@pytest.fixture(scope="session")
def local_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of an embedded AWS for every module that runs the commands on small templates."""
    from aws_vpc.local import control

    folder = tmp_path_factory.mktemp("embedded")
    control.start(folder)
    yield folder
    control.stop(folder)


@pytest.fixture(scope="session")
def embedded_bench() -> Iterator[Any]:
    """An embedded AWS for every module that tests the providers of types moto does not suffice for."""
    from providers_bench import serving_embedded

    yield from serving_embedded()


@pytest.fixture(scope="session")
def ipv6_aws() -> Iterator[Any]:
    """An embedded AWS for every module that tests IPv6."""
    from embedded import embedded_aws

    with embedded_aws() as running:
        yield running


@pytest.fixture(scope="session")
def warehouse_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A warehouse for every module that tests what its clients see."""
    from warehouse_support import running_warehouse

    yield from running_warehouse(tmp_path_factory)


# The descriptions of the services are read once, not once for each session that a command opens.
botocore.session.create_loader = cache(botocore.loaders.create_loader)


@pytest.fixture(autouse=True)
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The environment is put back, and credentials that a session has kept are forgotten."""
    before = dict(os.environ)
    # Where the commands remember a stack's account; never in the home of whoever runs the tests.
    os.environ["AWS_VPC_STATE_DIR"] = str(tmp_path_factory.getbasetemp() / "state")
    boto3.DEFAULT_SESSION = None
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(autouse=True, scope="module")
def collected(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a driver forgets to close is collected while its module's warnings are still let pass."""
    yield
    if any(mark.name == "filterwarnings" for mark in getattr(request.module, "pytestmark", ())):
        gc.collect()


# Modules that take longest, the longest first: begun early, they leave no worker waiting for another's last.
LONGEST = (
    "test_combinations", "test_deploy_states", "test_journey", "test_validate", "test_deploy",
    "test_postgres", "test_loader_faults", "test_deploy_at_once", "test_redshift", "test_killed",
    "test_kept", "test_ec2_ipv6", "test_web_bundle", "test_providers_databases",
    "test_deploy_faults", "test_web_browser", "test_codedeploy",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the longest modules first."""
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.stem, len(LONGEST)))


def pytest_addoption(parser: pytest.Parser) -> None:
    """What a real account is asked for."""
    parser.addoption("--aws", action="store_true", help="ask the configured AWS account instead")
