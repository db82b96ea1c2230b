"""doctor: what could stand in the way of a deployment, told before anything is made."""

from argparse import ArgumentParser, Namespace

from aws_vpc import deploy, doctor, report
from aws_vpc.commands.console import Console
from aws_vpc.commands.options import stack
from aws_vpc.commands.session import begin
from aws_vpc.doctor import BAD


def arguments(parser: ArgumentParser) -> None:
    """The options of doctor."""
    stack(parser)


def run(options: Namespace, console: Console) -> int:
    """0 when nothing stands in the way, 3 when something does."""
    session = begin(options, console)
    clients = session.aws.client
    arn, checks = doctor.identity(clients, session.aws.region)
    standing = deploy.describe(session.cfn, session.name) is not None
    checks.append(doctor.permissions(clients, arn))
    checks += doctor.quotas(clients, standing)
    checks += doctor.features(session.cfn)
    wrong = [one for one in checks if one.state == BAD]
    verdict = f"{len(wrong)} problems" if wrong else "nothing stands in the way"
    console.answer(
        [*report.table([[one.name, one.state, one.told] for one in checks], ""), verdict],
        report.result(
            "doctor",
            session.name,
            checks=[{"name": one.name, "state": one.state, "told": one.told} for one in checks],
            problems=len(wrong),
        ),
    )
    return 3 if wrong else 0
