"""cfn-signal of a local instance: tells CloudFormation how the boot has ended, through SignalResource.

The options are those of AWS's helper script (CloudFormation User Guide, cfn-signal). Run as a program, with
nothing but the standard library: whoever waits for the stack waits for this, too. The request is signed as
the IAM User Guide says (Create a signed AWS API request).
"""

import argparse
import hashlib
import hmac
import http.client
import os
import sys
import time
from collections.abc import Sequence
from urllib.parse import urlencode, urlsplit

FORM = "application/x-www-form-urlencoded; charset=utf-8"
SIGNED = "content-type;host;x-amz-date"


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


def asked(given: argparse.Namespace) -> str:
    """The form that asks for SignalResource."""
    success = given.success == "true" if given.success else given.exit_code == 0
    return urlencode(
        {
            "Action": "SignalResource",
            "Version": "2010-05-15",
            "StackName": given.stack,
            "LogicalResourceId": given.resource,
            "UniqueId": given.id,
            "Status": "SUCCESS" if success else "FAILURE",
        }
    )


def signature(secret: str, scope: Sequence[str], text: str) -> str:
    """The signature of a text by the key that is derived from the secret for the day, Region and service."""
    key = f"AWS4{secret}".encode()
    for part in (*scope, text):
        key = hmac.digest(key, part.encode(), "sha256")
    return key.hex()


def headers(host: str, path: str, body: str, region: str, moment: str) -> dict[str, str]:
    """The headers of the signed request; `moment` is the time as 20260101T120000Z."""
    said = {"content-type": FORM, "host": host, "x-amz-date": moment}
    told = "".join(f"{name}:{value}\n" for name, value in said.items())
    request = "\n".join(["POST", path, "", told, SIGNED, hashlib.sha256(body.encode()).hexdigest()])
    scope = [moment[:8], region, "cloudformation", "aws4_request"]
    digest = hashlib.sha256(request.encode()).hexdigest()
    text = "\n".join(["AWS4-HMAC-SHA256", moment, "/".join(scope), digest])
    key, secret = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
    signed = f"SignedHeaders={SIGNED}, Signature={signature(secret, scope, text)}"
    return {**said, "authorization": f"AWS4-HMAC-SHA256 Credential={key}/{'/'.join(scope)}, {signed}"}


def main(words: Sequence[str]) -> int:
    """0 when the signal has been taken; 1, with CloudFormation's answer, when it has not."""
    given = options(words)
    where, body = urlsplit(os.environ["AWS_ENDPOINT_URL"]), asked(given)
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    secure = where.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = kind(where.netloc, timeout=30)
    try:
        connection.request("POST", "/", body, headers(where.netloc, "/", body, given.region, moment))
        answer = connection.getresponse()
        if answer.status == 200:
            return 0
        print(answer.read().decode(errors="replace"), file=sys.stderr)
    except (OSError, http.client.HTTPException) as error:
        print(f"cfn-signal: {error}", file=sys.stderr)
    finally:
        connection.close()
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
