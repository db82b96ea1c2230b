"""What follows a stack that stands: the web release, the sample data, and the answer to the user."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from aws_vpc import beanstalk, data, loader_image, package, release, report
from aws_vpc.commands import network, stamp
from aws_vpc.commands.session import Session
from aws_vpc.deploy import Stack
from aws_vpc.errors import DeployFailed
from aws_vpc.package import Artifact
from aws_vpc.wait import Wait

# The outputs of the root that say where the databases are.
PLACES = ("DatabaseAddress", "DatabasePort", "WarehouseAddress", "WarehousePort")
BEANSTALK = "NestedElasticBeanstalkStack"
# An object as old as this has been loaded, or never will be; its job may be forgotten.
SETTLED_SECONDS = 3600
# A new bucket's first events may be lost while S3 sets up its notifications; then the sample is put again.
FIRST_EVENT_SECONDS = 240


def finish(session: Session, found: Stack, web: Artifact, action: str, *, reload: bool = False) -> int:
    """0 when the network is settled, the application released and the rows are there; the answer is given."""
    nested = network.outputs(session, found)
    settled = network.settle(session, found, nested)
    network.promises(session, found, nested)
    item, released = bring(session, found, nested, web, reload=reload)
    stale = reload and item is not None and not item.uploaded
    if stale:
        session.console.note("a database is new and empty: put your data into the bucket again to load it")
    rows = load_data(session, found, item) if item and not stale else {}
    urls = addresses(found, nested)
    page = release.settled_page(urls[0]) if urls else None
    console = session.console
    for note in report.version_notes(page, found.parameters.get("EngineVersion", "")):
        console.note(note)
    down = away(page)
    for name, sentence in down.items():
        console.note(sentence)
        rows.pop(name, None)
    if not down:
        stamp.stamp(session, found, web.key)
    rows |= page_rows(page)
    if released and action == "unchanged":
        action = "released"
    far = network.far_side(nested)
    facts = {
        "status": found.status,
        "outputs": dict(found.outputs),
        "rows": rows or None,
        "web": urls[0] if urls else None,
        "network": settled or None,
        "far_side": far[1:] or None,
        **session.planned,
    }
    console.answer([*lines(found, rows, urls), *far], report.result(action, found.name, **facts))
    return 0


def bring(
    session: Session, found: Stack, nested: network.Outputs, web: Artifact, *, reload: bool = False
) -> tuple[data.Object | None, bool]:
    """The sample in the bucket, and whether the application was released; the loader's image comes first."""
    build = begin_image(session, found, nested)
    item = None if build else put_data(session, found, again=reload)
    released = release_web(session, found, web)
    await_beanstalk(session, nested)
    if build:
        loader_image.succeed(session.aws.client("codebuild"), build, session.wait(), session.console.say)
        item = put_data(session, found, again=reload)
    return item, released


def await_beanstalk(session: Session, nested: network.Outputs) -> None:
    """Returns when the environment of Elastic Beanstalk, where there is one, is ready and green."""
    if BEANSTALK in nested:
        name = nested[BEANSTALK]["WebEnvironment"]
        client = session.aws.client("elasticbeanstalk")
        beanstalk.healthy(client, name, session.wait(), session.console.say)


def begin_image(session: Session, found: Stack, nested: network.Outputs) -> str:
    """The id of the build of the loader's image that has begun; empty where the image is there."""
    outputs, version = nested.get("NestedBatchStack", {}), found.parameters.get("LoaderVersion", "")
    project, repository = outputs.get("LoaderProject"), outputs.get("LoaderRepository", "")
    if not project or not version:
        return ""
    codebuild = session.aws.client("codebuild")
    if not loader_image.due(session.aws.client("ecr"), codebuild, project, repository, version):
        return ""
    session.console.say(f"building the loader's image {version}")
    return loader_image.begin(codebuild, project, version)


def addresses(found: Stack, nested: network.Outputs) -> list[str]:
    """The addresses of the page: the root's own, and that of Elastic Beanstalk."""
    told = [found.outputs.get("WebUrl", ""), nested.get(BEANSTALK, {}).get("WebUrl", "")]
    return list(dict.fromkeys(one for one in told if one))


def lines(found: Stack, rows: Mapping[str, Mapping[str, Any]], urls: Iterable[str]) -> list[str]:
    """Outputs, row counts and the addresses of the page."""
    told = [f"stack {found.name} {found.status}", *report.output_lines(found.outputs)]
    if rows:
        told += ["rows", *report.row_lines(rows)]
    return [*told, *(f"open {url}" for url in urls)]


def page_rows(page: Mapping[str, Any] | None) -> dict[str, dict[str, Any]]:
    """The row counts that the page itself gives."""
    databases = (page or {}).get("databases") or {}
    return {name: {"rows": one["rows"]} for name, one in databases.items() if one.get("rows") is not None}


def away(page: Mapping[str, Any] | None) -> dict[str, str]:
    """What the page says of each database that does not answer."""
    databases = (page or {}).get("databases") or {}
    return {name: str(one.get("sentence")) for name, one in databases.items() if one.get("up") is False}


def release_web(session: Session, found: Stack, web: Artifact) -> bool:
    """True when a new release was needed and is up."""
    outputs, console = found.outputs, session.console
    if not outputs.get("CodeDeployApplication"):
        return False
    target = release.Target(
        application=outputs["CodeDeployApplication"],
        group=outputs["CodeDeployDeploymentGroup"],
        bucket=found.parameters["ArtifactBucket"],
        key=web.key,
    )
    words = release.description(
        target,
        settings_of(session, found),
        release.servers(session.aws.client("ec2"), f"{found.name}-web-server"),
    )
    codedeploy = session.aws.client("codedeploy")
    if not release.due(codedeploy, target, words, session.wait(), console.say):
        return False
    package.upload(session.aws.client("s3"), target.bucket, session.account, [web])
    console.say(f"releasing {web.key} to {target.group}")
    release.release(codedeploy, target, words, session.wait(), console.say)
    return True


def settings_of(session: Session, found: Stack) -> str:
    """What the pages are started with: their settings, and where the databases stand."""
    settings = release.settings(session.aws.client("ssm"), f"/{found.name}/web/environment")
    return "\n".join([settings, *(found.outputs.get(key, "") for key in PLACES)])


def put_data(session: Session, found: Stack, *, again: bool = False) -> data.Object | None:
    """The object with people in the data bucket, put there when it is missing or an older sample."""
    bucket = found.outputs.get("DataBucket")
    if not bucket:
        return None
    item = data.put(session.aws.client("s3"), bucket, session.root / "data" / "people.csv", again=again)
    if item.uploaded:
        session.console.say(f"data/people.csv put into s3://{bucket}/{item.key}")
    return item


def load_data(session: Session, found: Stack, item: data.Object) -> dict[str, dict[str, Any]]:
    """What the load of the object says of each database; empty where nothing tells any more."""
    age = (datetime.now(UTC) - item.modified).total_seconds()
    queue = found.outputs["JobQueue"]
    batch = session.aws.client("batch")
    if age > SETTLED_SECONDS:
        job = data.find(batch, queue, item)
    elif item.ours:
        item, job = triggered(session, found, item)
    else:
        job = data.await_job(batch, queue, item, Wait.seconds(FIRST_EVENT_SECONDS))
    if job is None:
        return {}
    logs, group = session.aws.client("logs"), found.outputs["LoaderLogGroup"]
    try:
        return data.loaded(batch, logs, group, job, session.wait(), session.console.say)
    except DeployFailed as error:
        # Somebody else's data is not ours to fail for.
        if item.ours:
            raise
        session.console.note(str(error))
        return {}


def triggered(session: Session, found: Stack, item: data.Object) -> tuple[data.Object, str | None]:
    """The sample and the job that loads it, after it has been put once more where no job came."""
    batch, queue = session.aws.client("batch"), found.outputs["JobQueue"]
    try:
        return item, data.await_job(batch, queue, item, Wait.seconds(FIRST_EVENT_SECONDS))
    except DeployFailed:
        session.console.say("no job has come for the sample: putting it once more")
        again = put_data(session, found, again=True) or item
        return again, data.await_job(batch, queue, again, session.wait())
