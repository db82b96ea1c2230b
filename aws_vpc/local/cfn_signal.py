"""cfn-signal of a local instance: tells CloudFormation how the boot has ended, through SignalResource.

The options are those of AWS's helper script (CloudFormation User Guide, cfn-signal). Run as a program.
"""

import argparse
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


def options(words: Sequence[str]) -> argparse.Namespace:
    """The options given; a wrong one ends the program with status 2, as argparse does."""
    parser = argparse.ArgumentParser(prog="cfn-signal", allow_abbrev=False)
    parser.add_argument("-e", "--exit-code", type=int, default=0)
    parser.add_argument("-s", "--success", choices=("true", "false"))
    parser.add_argument("-i", "--id", required=True)
    parser.add_argument("-r", "--reason", default="")
    parser.add_argument("--stack", required=True)
    parser.add_argument("--resource", required=True)
    parser.add_argument("--region", default=os.environ.get("AWS_DEFAULT_REGION"))
    return parser.parse_args(words)


def signal(given: argparse.Namespace) -> urllib.request.Request:
    """The signed request of SignalResource."""
    success = given.success == "true" if given.success else given.exit_code == 0
    asked = {
        "Action": "SignalResource",
        "Version": "2010-05-15",
        "StackName": given.stack,
        "LogicalResourceId": given.resource,
        "UniqueId": given.id,
        "Status": "SUCCESS" if success else "FAILURE",
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    body = urllib.parse.urlencode(asked)
    request = AWSRequest("POST", os.environ["AWS_ENDPOINT_URL"], data=body, headers=headers)
    keys = Credentials(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
    SigV4Auth(keys, "cloudformation", given.region).add_auth(request)
    signed = dict(request.headers.items())
    return urllib.request.Request(request.url, data=body.encode(), headers=signed, method="POST")


def main(words: Sequence[str]) -> int:
    """0 when the signal has been taken; 1, with CloudFormation's answer, when it has not."""
    try:
        with urllib.request.urlopen(signal(options(words)), timeout=30):
            return 0
    except urllib.error.HTTPError as error:
        print(error.read().decode(errors="replace"), file=sys.stderr)
    except OSError as error:
        print(f"cfn-signal: {error}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
