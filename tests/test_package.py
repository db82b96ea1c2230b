"""The same content gives the same keys, a change gives others, and only missing keys are uploaded."""

import io
import json
import stat
import zipfile

import boto3
import pytest
from botocore.stub import ANY, Stubber
from embedded import embedded_aws, without_buckets

from aws_vpc import package
from aws_vpc.errors import Error, TemplateError

ROOT = """
Parameters:
  TemplateBaseUrl: {Type: String}
Resources:
  Net:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: !Sub '${TemplateBaseUrl}/net.yaml'}
  Data:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: !Sub '${TemplateBaseUrl}/data.yaml', Parameters: {Vpc: !GetAtt Net.Outputs.Vpc}}
"""
NET = """
Resources:
  Vpc:
    Type: AWS::EC2::VPC
    Properties: {CidrBlock: 10.0.0.0/16, EnableDnsSupport: true}
"""
DATA = "Parameters:\n  Vpc: {Type: String}\nResources:\n  Queue:\n    Type: AWS::SQS::Queue\n"
ACCOUNT = "123456789012"


@pytest.fixture
def folder(tmp_path):
    for name, text in (("root.yaml", ROOT), ("net.yaml", NET), ("data.yaml", DATA)):
        (tmp_path / name).write_text(text)
    return tmp_path


def keys(folder):
    found = package.package(folder, "root.yaml")
    return [found.root.key, *(child.key for child in found.children)]


def test_keys_are_made_from_content_and_the_root_names_its_children(folder):
    found = package.package(folder, "root.yaml")
    assert [child.key.split("/")[0::2] for child in found.children] == [
        ["templates", "net.yaml"],
        ["templates", "data.yaml"],
    ]
    text = found.root.body().decode()
    for child in found.children:
        assert "${TemplateBaseUrl}/" + child.key.removeprefix("templates/") in text
    assert "${TemplateBaseUrl}/net.yaml" not in text


def test_comments_layout_and_the_order_of_keys_change_no_hash(folder):
    before = keys(folder)
    (folder / "net.yaml").write_text(
        "# a comment\nResources:\n  Vpc:\n    Properties:\n      EnableDnsSupport: true\n"
        "      CidrBlock: 10.0.0.0/16\n    Type: AWS::EC2::VPC\n"
    )
    assert keys(folder) == before


def test_a_changed_child_changes_its_own_key_and_the_root_s(folder):
    before = keys(folder)
    (folder / "net.yaml").write_text(NET.replace("10.0", "10.9"))
    after = keys(folder)
    assert [old == new for old, new in zip(before, after, strict=True)] == [False, False, True]


def test_a_template_that_breaks_a_rule_is_named(folder):
    (folder / "net.yaml").write_text("Resources: [")
    with pytest.raises(TemplateError, match=r"template net\.yaml: Template format error"):
        package.package(folder, "root.yaml")


def test_a_missing_child_is_named(folder):
    (folder / "data.yaml").unlink()
    with pytest.raises(TemplateError, match=r"data\.yaml does not exist"):
        package.package(folder, "root.yaml")


@pytest.fixture
def web(tmp_path):
    folder = tmp_path / "web"
    (folder / "hooks").mkdir(parents=True)
    (folder / "venv" / "lib").mkdir(parents=True)
    (folder / "__pycache__").mkdir()
    (folder / "application.py").write_text("application = None\n")
    (folder / "hooks" / "start.sh").write_text("#!/bin/sh\n")
    (folder / "hooks" / "start.sh").chmod(0o755)
    (folder / "venv" / "lib" / "big.py").write_text("big")
    (folder / "__pycache__" / "application.pyc").write_text("compiled")
    (folder / "requirements_dev.txt").write_text("pytest\n")
    (folder / ".env").write_text("SECRET=1\n")
    return folder


def names(artifact):
    with zipfile.ZipFile(io.BytesIO(artifact.body())) as archive:
        return {info.filename: stat.S_IMODE(info.external_attr >> 16) for info in archive.infolist()}


def test_a_bundle_holds_the_application_with_its_modes_and_no_litter(web):
    assert names(package.bundle(web)) == {"application.py": 0o644, "hooks/start.sh": 0o755}


def test_a_bundle_is_the_same_whenever_and_by_whomever_it_is_made(web, tmp_path):
    import os

    first = package.bundle(web)
    os.utime(web / "application.py", (1, 1))
    (web / "application.py").chmod(0o600)
    again = package.bundle(web)
    assert (again.key, again.body()) == (first.key, first.body())


def test_a_bundle_changes_with_content_name_and_executable_bit(web):
    found = {package.bundle(web).key}
    (web / "application.py").write_text("application = 1\n")
    found.add(package.bundle(web).key)
    (web / "application.py").chmod(0o755)
    found.add(package.bundle(web).key)
    (web / "application.py").rename(web / "app.py")
    found.add(package.bundle(web).key)
    assert len(found) == 4


def test_a_bundle_honours_the_ignore_file(web):
    (web / ".ebignore").write_text("# not for servers\nhooks/\n")
    assert list(names(package.bundle(web))) == ["application.py"]


def test_a_bundle_keeps_the_hooks_of_elastic_beanstalk_and_no_other_hidden_file(web):
    for hidden in (".platform", ".git", ".ebextensions"):
        (web / hidden).mkdir()
        (web / hidden / "file").write_text(hidden)
    found = list(names(package.bundle(web)))
    assert [name for name in found if name.startswith(".")] == [".ebextensions/file", ".platform/file"]


def test_a_missing_application_is_named(tmp_path):
    with pytest.raises(Error, match=r"folder .* does not exist"):
        package.bundle(tmp_path / "nothing")


@pytest.fixture(scope="module")
def aws():
    with embedded_aws("eu-west-1") as running:
        yield running


@pytest.fixture
def s3(aws):
    return without_buckets(aws.client("s3"))


def test_only_missing_keys_are_uploaded(s3, folder):
    found = package.package(folder, "root.yaml")
    s3.create_bucket(Bucket="artifacts", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    artifacts = [*found.children, found.root]
    assert package.upload(s3, "artifacts", ACCOUNT, artifacts) == [one.key for one in artifacts]
    assert package.upload(s3, "artifacts", ACCOUNT, artifacts) == []
    (folder / "net.yaml").write_text(NET.replace("10.0", "10.9"))
    changed = package.package(folder, "root.yaml")
    uploaded = package.upload(s3, "artifacts", ACCOUNT, [*changed.children, changed.root])
    assert uploaded == [changed.children[0].key, changed.root.key]


def test_the_bucket_is_private_encrypted_versioned_and_tls_only(s3):
    assert package.ensure_bucket(s3, "artifacts", "eu-west-1", ACCOUNT, ours=True) is True
    assert package.ensure_bucket(s3, "artifacts", "eu-west-1", ACCOUNT, ours=True) is False
    blocked = s3.get_public_access_block(Bucket="artifacts")["PublicAccessBlockConfiguration"]
    assert set(blocked.values()) == {True}
    assert s3.get_bucket_versioning(Bucket="artifacts")["Status"] == "Enabled"
    rules = s3.get_bucket_encryption(Bucket="artifacts")["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    policy = json.loads(s3.get_bucket_policy(Bucket="artifacts")["Policy"])
    assert policy["Statement"][0]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_settings_of_a_bucket_that_is_the_user_s_own_are_left_alone(s3):
    s3.create_bucket(Bucket="theirs", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    assert package.ensure_bucket(s3, "theirs", "eu-west-1", ACCOUNT, ours=False) is False
    assert "Status" not in s3.get_bucket_versioning(Bucket="theirs")


def test_a_bucket_of_another_account_is_refused_with_the_next_step(s3):
    with Stubber(s3) as stub:
        asked = {"Bucket": "artifacts", "ExpectedBucketOwner": ACCOUNT}
        stub.add_client_error("head_bucket", "403", "Forbidden", 403, expected_params=asked)
        with pytest.raises(Error, match=r"taken by another account.*--bucket"):
            package.ensure_bucket(s3, "artifacts", "eu-west-1", ACCOUNT, ours=True)


def test_nothing_is_put_into_a_bucket_whose_owner_has_changed(s3):
    """Its name can be guessed, so anybody may make it between two runs."""
    artifact = package.Artifact("templates/a.yaml", lambda: b"text")
    asked = {"Bucket": "artifacts", "Key": artifact.key, "ExpectedBucketOwner": ACCOUNT}
    with Stubber(s3) as stub:
        stub.add_client_error("head_object", "404", "Not Found", 404, expected_params=asked)
        stub.add_response("put_object", {}, asked | {"Body": ANY})
        assert package.upload(s3, "artifacts", ACCOUNT, [artifact]) == [artifact.key]
        stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("region", "endpoint", "url"),
    [
        ("eu-west-1", None, "https://artifacts.s3.amazonaws.com/templates"),
        ("cn-north-1", None, "https://artifacts.s3.cn-north-1.amazonaws.com.cn/templates"),
        ("us-east-1", "http://127.0.0.1:5000", "http://127.0.0.1:5000/artifacts/templates"),
    ],
)
def test_templates_are_found_where_the_client_s_endpoint_is(region, endpoint, url):
    client = boto3.client(
        "s3", region, endpoint_url=endpoint, aws_access_key_id="a", aws_secret_access_key="b"
    )
    assert package.base_url(client, "artifacts") == url
