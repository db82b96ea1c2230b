"""What a user may give, checked: addresses, names, master user, parameters.

In: text from the command line or a file. Out: values ready for CloudFormation, or a UsageError in one line.
"""

import difflib
import ipaddress
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from aws_vpc.errors import TemplateError, UsageError
from aws_vpc.template_parameters import check

STACK_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")
INSTANCE_NAME = re.compile(r"[a-z][a-z0-9-]{0,29}")
BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
# One user name has to please both: RDS for PostgreSQL takes letters, digits and underscores (1-63),
# Redshift lower case only.
USERNAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
RESERVED = frozenset([
    "admin", "all", "and", "any", "array", "as", "asc", "between", "both", "case", "cast", "check",
    "collate", "column", "constraint", "create", "current_user", "default", "delete", "desc",
    "distinct", "do", "else", "end", "except", "false", "for", "foreign", "from", "grant", "group",
    "having", "in", "insert", "into", "leading", "limit", "new", "not", "null", "off", "old", "on",
    "only", "or", "order", "primary", "public", "rdsadmin", "rdsrepladmin", "rds_superuser",
    "references", "select", "session_user", "some", "system", "table", "then", "to", "trailing", "true",
    "union", "unique", "update", "user", "using", "when", "where", "with",
])  # fmt: skip
FORBIDDEN = "/@\"'\\ "


FAMILIES: Mapping[int, tuple[type[ipaddress.IPv4Network | ipaddress.IPv6Network], str]] = {
    4: (ipaddress.IPv4Network, "a.b.c.d/24, a.b.c.d/32 or a.b.c.d"),
    6: (ipaddress.IPv6Network, "2001:db8:0:7::/64 or 2001:db8:0:7::1"),
}


def web_ingress(text: str, version: int = 4) -> tuple[str, str]:
    """The CIDR block of the address that may open the web page, and a remark on it (or an empty string).

    Empty text is no address, which IPv6 may have: then nobody opens the page over it.
    """
    if not text and version == 6:
        return "", ""
    family, shapes = FAMILIES[version]
    try:
        network = family(text, strict=False)
    except ValueError:
        raise UsageError(f"{text!r} is not an address that may open the web page; give {shapes}") from None
    if network.prefixlen == 0:
        return str(network), f"{network} lets the whole internet open the web page"
    if "/" in text and str(network) != text:
        return str(network), f"{text} means {network}: the bits behind the prefix are cleared"
    return str(network), ""


def boolean(text: str, name: str) -> str:
    """`true` or `false` for a switch of the positional form."""
    if text.lower() not in {"true", "false"}:
        raise UsageError(f"{name} is {text!r}; give true or false")
    return text.lower()


def stack_name(text: str) -> str:
    """A name that CloudFormation accepts for a stack."""
    if not STACK_NAME.fullmatch(text):
        raise UsageError(
            f"stack name {text!r} is not valid: a letter, then letters, digits and hyphens,"
            " at most 128 characters"
        )
    return text


def account(text: str | None) -> str:
    """An account id, empty without one."""
    if text and not re.fullmatch(r"\d{12}", text):
        raise UsageError(f"--expect-account {text!r} is not an account id of twelve digits")
    return text or ""


def port(text: str) -> int:
    """A port that a program may listen on."""
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise UsageError(f"port {text!r} is not a number from 1 to 65535")
    return int(text)


def instance_name(text: str) -> str:
    """A name for an embedded AWS, which is also that of a folder."""
    if not INSTANCE_NAME.fullmatch(text):
        raise UsageError(
            f"name {text!r} is not valid: lower case letters, digits and hyphens, a letter first, at most 30"
        )
    return text


def bucket_name(text: str) -> str:
    """A name that S3 accepts for a bucket, without dots (they break TLS host names)."""
    if not BUCKET_NAME.fullmatch(text) or text.startswith("xn--"):
        raise UsageError(
            f"bucket name {text!r} is not valid: 3 to 63 lower-case letters, digits and hyphens,"
            " a letter or digit at both ends"
        )
    return text


def username(text: str) -> str:
    """A master user name that RDS for PostgreSQL and Redshift both accept."""
    if not USERNAME.fullmatch(text):
        raise UsageError(
            f"master user name {text!r} is not valid: RDS and Redshift both take a lower-case letter,"
            " then lower-case letters, digits and underscores, at most 63"
        )
    if text in RESERVED or text.startswith("pg_"):
        raise UsageError(f"master user name {text!r} is a reserved word of RDS or Redshift; take another")
    return text


def password(text: str) -> str:
    """A master password that RDS and Redshift both accept; the message never repeats it."""
    fault = password_fault(text)
    if fault:
        raise UsageError(
            f"the master password {fault}; RDS and Redshift both take 8 to 64 printable characters without"
            " / @ \" ' \\ and blank, with an upper-case letter, a lower-case letter and a digit"
        )
    return text


def password_fault(text: str) -> str:
    """What is wrong with a password, or an empty string."""
    if not 8 <= len(text) <= 64:
        return f"has {len(text)} characters"
    if any(not "!" <= character <= "~" or character in FORBIDDEN for character in text):
        return "has a character that is not allowed"
    wanted = {"an upper-case letter": str.isupper, "a lower-case letter": str.islower, "a digit": str.isdigit}
    missing = [name for name, test in wanted.items() if not any(test(character) for character in text)]
    return f"lacks {' and '.join(missing)}" if missing else ""


def assignments(pairs: Iterable[str]) -> dict[str, str]:
    """The parameters in `--param K=V` options; the last one of a name counts."""
    result = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise UsageError(f"--param {pair!r} is not of the form NAME=VALUE")
        result[key] = value
    return result


def tags(options: Iterable[str]) -> dict[str, str]:
    """The tags in `--tags K=V,K=V` options."""
    found: dict[str, str] = {}
    for pair in (one for option in options for one in option.split(",")):
        key, equals, value = pair.partition("=")
        if not equals or not 1 <= len(key) <= 128 or len(value) > 256:
            raise UsageError(f"--tags {pair!r} is not NAME=VALUE, of at most 128 and 256 characters")
        if key.lower().startswith("aws:"):
            raise UsageError(f"--tags {pair!r}: names that begin with aws: are AWS's own")
        if key in found:
            raise UsageError(f"--tags {pair!r}: {key} has the value {found[key]!r} already; give one")
        found[key] = value
    return found


def role_arn(text: str | None) -> str:
    """The ARN of a role for CloudFormation, empty without one."""
    if text and not re.fullmatch(r"arn:aws[a-z-]*:iam::\d{12}:role/.+", text):
        raise UsageError(f"--role-arn {text!r} is not the ARN of a role, arn:aws:iam::ACCOUNT:role/NAME")
    return text or ""


def stack_policy(path: str | None) -> str:
    """The text of a stack policy's file, empty without one."""
    if not path:
        return ""
    try:
        text = Path(path).expanduser().read_text(encoding="utf-8")
        found = json.loads(text)["Statement"]
    except OSError as error:
        raise UsageError(f"stack policy {path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise UsageError(f"stack policy {path} is not a JSON object with a Statement") from None
    if not isinstance(found, list | dict):
        raise UsageError(f"stack policy {path}: Statement is neither a list nor an object")
    return text


def parameter_file(path: Path) -> dict[str, str]:
    """The parameters in a YAML or JSON file: a flat map, or any form that the aws command takes.

    Those are a list of ParameterKey and ParameterValue, a list of NAME=VALUE, and a map below Parameters.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"parameter file {path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        why = " ".join(str(error).split())
        raise UsageError(f"parameter file {path} is neither YAML nor JSON: {why}") from None
    if isinstance(content, Mapping) and isinstance(content.get("Parameters"), Mapping | list):
        content = content["Parameters"]
    try:
        return flat(content)
    except (KeyError, TypeError, ValueError):
        raise UsageError(
            f"parameter file {path} is neither a map of names and values"
            " nor a list of ParameterKey and ParameterValue"
        ) from None


def flat(content: Any) -> dict[str, str]:
    """A map of names and values from one of the forms of a parameter file."""
    if isinstance(content, Mapping):
        return {str(key): scalar(value) for key, value in content.items()}
    if not isinstance(content, list):
        raise TypeError(content)
    return dict(pair for item in content if (pair := entry(item)))


def entry(item: Any) -> tuple[str, str] | None:
    """One entry of a list of parameters; none where it keeps the previous value."""
    if isinstance(item, str):
        name, value = item.split("=", 1)
        return name, value
    if not isinstance(item, Mapping):
        raise TypeError(item)
    if item.get("UsePreviousValue"):
        return None
    return str(item["ParameterKey"]), scalar(item["ParameterValue"])


def scalar(value: Any) -> str:
    """A parameter value as CloudFormation takes it: lists joined by commas, true and false in lower case."""
    if isinstance(value, list):
        return ",".join(scalar(item) for item in value)
    if isinstance(value, bool):
        return json.dumps(value)
    if value is None or isinstance(value, Mapping):
        raise TypeError(value)
    return str(value)


def check_value(name: str, declared: Mapping[str, Any], value: str) -> None:
    """Raises UsageError when a parameter's value breaks a constraint of the template."""
    try:
        check(name, declared, value)
    except TemplateError as error:
        raise UsageError(f"--param {name}={value}: {error}") from None


def check_known(given: Iterable[str], declared: Sequence[str], template: str) -> None:
    """Raises UsageError when a parameter is given that the template does not declare."""
    for name in given:
        if name not in declared:
            near = difflib.get_close_matches(name, declared, n=1)
            hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(declared)}"
            raise UsageError(f"{template} has no parameter {name}; {hint}")
