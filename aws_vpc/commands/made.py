"""The parameters that the command makes itself: addresses of uploads, ids that only the Region knows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aws_vpc import beanstalk, loader_image, package, vpc_settings
from aws_vpc.commands.request import Request
from aws_vpc.commands.session import Session

# Values kept from the first time on, since another one would replace what stands.
KEPT = ("S3PrefixListId", "PlatformArn")


@dataclass(frozen=True)
class Makers:
    """What there is to make parameters of: the request, what stood before, the bucket, new images or not."""

    session: Session
    request: Request
    previous: Mapping[str, str]
    bucket: str
    refresh: bool = False

    def value(self, name: str) -> str:
        """The value that a parameter will have: given now, as before, or the template's default."""
        default = self.request.package.template.parameters.get(name, {}).get("Default", "")
        return self.request.given.get(name) or self.previous.get(name) or str(default)

    @property
    def beanstalk(self) -> bool:
        return self.value("WebTier") in {"beanstalk", "both"}


def made(makers: Makers) -> dict[str, str]:
    """The parameters that the root declares, that nobody gave, and that the command knows to fill in."""
    declared = makers.request.package.template.parameters
    found = {}
    for name, make in MAKERS.items():
        kept = name in KEPT and makers.previous.get(name) and not makers.refresh
        if name in declared and not makers.request.given.get(name) and not kept:
            value = make(makers)
            if value:
                found[name] = value
    return found


def loader_version(makers: Makers) -> str:
    """The version of the loader's source, uploaded, unless an image is given."""
    if makers.value("LoaderImage"):
        return ""
    upload(makers, makers.request.loader)
    return loader_image.version(makers.request.loader)


def web_bundle(makers: Makers) -> str:
    """The key of the web bundle, uploaded, where Elastic Beanstalk takes it."""
    if not makers.beanstalk:
        return ""
    upload(makers, makers.request.web)
    return makers.request.web.key


def upload(makers: Makers, artifact: package.Artifact) -> None:
    """Returns when the bucket holds the artifact."""
    session = makers.session
    before = makers.previous
    known = {before.get("WebBundle"), f"loader/{before.get('LoaderVersion')}.zip"}
    if artifact.key in known and before.get("ArtifactBucket") == makers.bucket:
        return  # uploaded before the stack was last changed
    s3 = session.aws.client("s3")
    for key in package.upload(s3, makers.bucket, session.account, [artifact]):
        session.console.say(f"{key} uploaded to {makers.bucket}")


def platform(makers: Makers) -> str:
    """The newest platform of Elastic Beanstalk, where it is used."""
    return (
        beanstalk.newest_platform(makers.session.aws.client("elasticbeanstalk")) if makers.beanstalk else ""
    )


def prefix_list(makers: Makers) -> str:
    """The Region's list of S3 addresses."""
    return vpc_settings.prefix_list(makers.session.aws.client("ec2"), makers.session.aws.region)


def image(makers: Makers) -> str:
    """The newest image of the web server, when new images are asked for; it replaces the instance."""
    if not makers.refresh:
        return ""
    default = str(makers.request.package.template.parameters["ImageId"].get("Default", ""))
    now = makers.value("ImageId")
    name = now if now.startswith("/") else default
    return str(makers.session.aws.client("ssm").get_parameter(Name=name)["Parameter"]["Value"])


MAKERS: dict[str, Callable[[Makers], str]] = {
    "LoaderVersion": loader_version,
    "WebBundle": web_bundle,
    "PlatformArn": platform,
    "S3PrefixListId": prefix_list,
    "ImageId": image,
}
