"""curl of a local machine for what the machine itself serves: the options that scripts of releases give.

Stands alone, since it runs as a script of its own. Exit status as curl's: 2 usage, 7 nobody listens, 22 an
error of the server under --fail, 28 too long (https://curl.se/docs/manpage.html, EXIT CODES).
"""

import argparse
import sys
import time
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path

USAGE, NOBODY, REFUSED, LATE = 2, 7, 22, 28
PASSING = {408, 429, 500, 502, 503, 504}  # --retry asks again after these


class Failed(Exception):
    """What curl says, its exit status, and whether it asks again."""

    def __init__(self, status: int, text: str, again: bool) -> None:
        super().__init__(f"curl: ({status}) {text}")
        self.status, self.again = status, again


def main(argv: list[str]) -> int:
    """The exit status; what was answered is on stdout or in the file named."""
    options = parsed(argv)
    for left in range(options.retry, -1, -1):
        try:
            body = fetched(options)
        except Failed as failed:
            if left and (failed.again or (options.retry_connrefused and failed.status == NOBODY)):
                time.sleep(options.retry_delay)
                continue
            if options.show_error or not options.silent:
                print(failed, file=sys.stderr)
            return failed.status
        if options.output:
            Path(options.output).write_bytes(body)
        else:
            sys.stdout.buffer.write(body)
        break
    return 0


def parsed(argv: list[str]) -> argparse.Namespace:
    """The options, of which curl has many more: those end in exit status 2, as its own unknown ones do."""
    parser = argparse.ArgumentParser(prog="curl", add_help=False, allow_abbrev=False)
    for short, name in (("-f", "--fail"), ("-s", "--silent"), ("-S", "--show-error"), ("-L", "--location")):
        parser.add_argument(short, name, action="store_true")
    parser.add_argument("--retry-connrefused", action="store_true")
    parser.add_argument("--retry", type=int, default=0)
    parser.add_argument("--retry-delay", type=float, default=1.0)
    parser.add_argument("--connect-timeout", type=float)
    parser.add_argument("-m", "--max-time", type=float, default=300.0)
    parser.add_argument("-o", "--output")
    parser.add_argument("-X", "--request", default="GET")
    parser.add_argument("-H", "--header", action="append", default=[])
    parser.add_argument("address")
    return parser.parse_args(argv)


def fetched(options: argparse.Namespace) -> bytes:
    """What the address answers."""
    headers = dict(line.split(":", 1) for line in options.header)
    try:
        asked = urllib.request.Request(options.address, headers=headers, method=options.request)
        with urllib.request.urlopen(asked, timeout=options.max_time) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        if not options.fail:
            return bytes(error.read())
        text = f"The requested URL returned error: {error.code}"
        raise Failed(REFUSED, text, error.code in PASSING) from error
    except TimeoutError as error:
        raise Failed(LATE, "Operation timed out", again=True) from error
    except (OSError, HTTPException) as error:
        late = isinstance(getattr(error, "reason", None), TimeoutError)
        text = "Operation timed out" if late else f"Failed to connect: {error}"
        raise Failed(LATE if late else NOBODY, text, late) from error


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
