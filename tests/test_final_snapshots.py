"""teardown keeps the final snapshots of databases, and with --no-snapshots deletes just those afterwards."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from deploy_bench import Run, aws, local, name, proxies, proxy, root, run, write

__all__ = ["aws", "local", "name", "proxies", "proxy", "root", "run"]

ALL = os.environ.get("AWS_VPC_TEST_ALL") == "1"
DATABASE = """
  Database:
    Type: AWS::RDS::DBInstance
    DeletionPolicy: Snapshot
    Properties:
      Engine: postgres
      DBInstanceClass: db.t4g.micro
      AllocatedStorage: '20'
      MasterUsername: master
      ManageMasterUserPassword: true
"""


def snapshots(rds: Any) -> dict[str, str]:
    """The database of each snapshot that somebody, or CloudFormation, has made."""
    found = rds.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
    return {one["DBSnapshotIdentifier"]: one["DBInstanceIdentifier"] for one in found}


def test_no_snapshots_deletes_the_final_one_and_no_other(
    run: Run, root: Path, aws: Callable[[str], Any]
) -> None:
    rds = aws("rds")
    write(root, second=DATABASE)
    status, _, err = run("create", "--skip-checks")
    assert status == 0, err
    (database,) = (one["DBInstanceIdentifier"] for one in rds.describe_db_instances()["DBInstances"])
    rds.create_db_snapshot(DBSnapshotIdentifier="mine", DBInstanceIdentifier=database)
    rds.get_waiter("db_snapshot_available").wait(DBSnapshotIdentifier="mine", WaiterConfig={"Delay": 1})
    status, out, err = run("teardown", "--yes", "--no-snapshots", "--json")
    assert status == 0, err
    assert "deleted after a final snapshot" in err and f"of database {database} deleted" in err
    assert snapshots(rds) == {"mine": database}
    assert json.loads(out)["kept"] == []


@pytest.mark.skipif(not ALL, reason="AWS_VPC_TEST_ALL=1 looks at what is kept, too")
def test_the_final_snapshot_is_told_and_outlives_a_second_teardown(
    run: Run, root: Path, aws: Callable[[str], Any]
) -> None:
    rds = aws("rds")
    before = snapshots(rds).keys()
    write(root, second=DATABASE)
    status, _, err = run("create")
    assert status == 0, err
    status, out, _ = run("teardown", "--yes", "--json")
    (kept,) = json.loads(out)["kept"]
    (final,) = snapshots(rds).keys() - before
    assert status == 0 and final in kept
    status, out, _ = run("status")
    assert status == 3 and final in out
    status, out, _ = run("teardown", "--yes", "--no-snapshots")
    assert (status, "nothing to tear down" in out) == (0, True)
    assert final in snapshots(rds)
