"""snapshot: what an account answers about its network, kept in files for questions later or elsewhere."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from aws_vpc import aws, discover, report
from aws_vpc.commands import sources
from aws_vpc.commands.console import Console


def arguments(parser: ArgumentParser) -> None:
    """The options of snapshot."""
    parser.add_argument("action", choices=["save"], help="save: ask the account and write its answers")
    parser.add_argument("folder", metavar="DIR", help="where the files go, under aws_configs/REGION/")
    parser.add_argument("--local", action="store_true", help="the embedded AWS on this machine")
    parser.add_argument("--region", help="Region, instead of the configured one")
    parser.add_argument("--profile", help="profile of the AWS configuration")


def run(options: Namespace, console: Console) -> int:
    """0 when the files are written; nothing is written when a call fails."""
    account: aws.Aws = sources.account(options)
    answers = discover.read_live(account)
    files = discover.save(answers, Path(options.folder).expanduser(), account.region)
    rows = sum(map(len, answers.values()))
    console.answer(
        [f"{rows} objects in {len(files)} files under {files[0].parent}"],
        report.result("snapshot", "", files=list(map(str, files)), objects=rows),
    )
    return 0
