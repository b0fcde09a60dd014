# SPDX-License-Identifier: MIT
"""tap: claims about a program, checked one after another, told as TAP. A claim is a function; an exception breaks it."""
import signal
import sys
import traceback

_claims = []


def claim(function):
    _claims.append(function)
    return function


def _too_late(*_):
    raise TimeoutError("a claim hangs")


def run(limit=60):
    """All claims, each for at most so many seconds, which only a hang takes; exits."""
    failed = 0
    signal.signal(signal.SIGALRM, _too_late)
    print(f"1..{len(_claims)}")
    for number, function in enumerate(_claims, 1):
        name = function.__name__.replace("_", " ")
        signal.alarm(limit)
        try:
            function()
            print(f"ok {number} - {name}", flush=True)
        except Exception:
            failed += 1
            for line in traceback.format_exc().splitlines():
                print("# " + line)
            print(f"not ok {number} - {name}", flush=True)
        signal.alarm(0)
    sys.exit(1 if failed else 0)


def short(value):
    text = repr(value)
    return text if len(text) < 300 else text[:200] + "..."


def equal(seen, wanted):
    if seen != wanted:
        raise AssertionError(f"saw {short(seen)}, want {short(wanted)}")


def true(condition, what):
    if not condition:
        raise AssertionError(what)


def failure(number, function, *args, **kwargs):
    """The OSError that a call must end with; returns it."""
    try:
        function(*args, **kwargs)
    except OSError as error:
        equal(error.errno, number)
        return error
    raise AssertionError(f"succeeded, want errno {number}")
