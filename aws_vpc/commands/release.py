"""release web: a new version of the pages on the web server or Elastic Beanstalk, followed to its end."""

from argparse import ArgumentParser, Namespace

from aws_vpc import change_set, deploy, plan, release, report
from aws_vpc.change_set import Target
from aws_vpc.commands import finish, network, planning
from aws_vpc.commands.console import Console
from aws_vpc.commands.options import change
from aws_vpc.commands.planning import Plan
from aws_vpc.commands.session import Session, begin
from aws_vpc.deploy import Stack
from aws_vpc.errors import Error
from aws_vpc.package import Artifact, bundle, upload

BUNDLE = "WebBundle"


def arguments(parser: ArgumentParser) -> None:
    """The options of release."""
    parser.add_argument("what", choices=["web"], help="what is released")
    change(parser)


def run(options: Namespace, console: Console) -> int:
    """0 when the pages are of this version, wherever they run."""
    session = begin(options, console)
    web = bundle(session.root / "eb-flask")
    found = session.settled()
    if found is None or found.status not in plan.SETTLED:
        raise Error(plan.refusal("release", session.name, found.status if found else None))
    nested = network.outputs(session, found)
    if not found.outputs.get("CodeDeployApplication") and finish.BEANSTALK not in nested:
        raise Error(
            f"stack {session.name} has neither a web server nor Elastic Beanstalk: WebTier tells where"
        )
    released = finish.release_web(session, found, web)
    if finish.BEANSTALK in nested:
        released = release_beanstalk(session, found, web) or released
        finish.await_beanstalk(session, nested)
    urls = finish.addresses(found, nested)
    page = release.page(urls[0]) if urls else None
    line = f"{web.key} is up" if released else f"nothing to release: {web.key} is up already"
    console.answer(
        [line, *(f"open {url}" for url in urls)],
        report.result(
            "released" if released else "unchanged",
            session.name,
            bundle=web.key,
            web=urls,
            answers=page is not None,
        ),
    )
    return 0


def release_beanstalk(session: Session, found: Stack, web: Artifact) -> bool:
    """True when the version that Elastic Beanstalk runs had to be changed, which a change set has done."""
    if found.parameters.get(BUNDLE) == web.key:
        return False
    upload(session.aws.client("s3"), found.parameters["ArtifactBucket"], session.account, [web])
    parameters = change_set.previous({BUNDLE: web.key}, list(found.parameters), found.parameters)
    target = Target(stack=found.id, name=session.name, url="", parameters=parameters)
    drawn = Plan(change_set.preview(session.cfn, target, session.wait()))
    if drawn.ready.empty:
        return False
    planning.show(session, drawn)
    planning.agree(session, drawn, f"Release {web.key} to Elastic Beanstalk?")
    session.console.say(f"releasing {web.key} to Elastic Beanstalk")
    session.succeed(planning.begin(session, drawn), "releasing to")
    return deploy.describe(session.cfn, found.id) is not None
