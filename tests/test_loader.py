"""The loader as Batch runs it, against real databases: an object becomes rows in both, or nothing changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from loader_support import TARGETS, Servers, System, people_csv, person, servers, system

# what redshift_connector does with ssl
pytestmark = [
    pytest.mark.filterwarnings("ignore:ssl.SSLContext.. without protocol:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:ssl.PROTOCOL_TLS is deprecated:DeprecationWarning"),
]
PEOPLE = Path(__file__).parent.parent / "data" / "people.csv"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with servers(tmp_path_factory.mktemp("servers")) as found:
        yield found


@pytest.fixture
def loader(running: Servers, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> System:
    return system(running, capsys, monkeypatch)


def test_the_shipped_file_fills_both_databases(loader: System) -> None:
    lines = loader.load(loader.put(PEOPLE.read_bytes()))
    loaded = [line for line in lines if line["event"] == "loaded"]
    assert [line["target"] for line in loaded] == ["rds", "redshift"]
    for line in loaded:
        assert (line["table"], line["rows"], line["rejected"], line["table_rows"]) == ("persons", 50, 0, 50)
        assert line["seconds"] >= 0
    assert loader.rows("rds") == loader.rows("redshift")
    assert len(loader.rows("rds")) == 50
    assert not loader.left_over()
