"""Shared by the Python clients: one case per process, exit code 0 when it holds, 3 when the client lacks it."""
import os
import sys
import traceback

MEGABYTE = 1024 * 1024
LACKS_IT = 3


def same(actual, expected, what):
    if actual != expected:
        raise AssertionError(f"{what}: {actual!r} instead of {expected!r}")


def fibonacci(number):
    return number if number < 2 else fibonacci(number - 1) + fibonacci(number - 2)


def run_case(name, functions):
    run = functions.get(name.replace("-", "_"))
    if run is None:
        sys.exit(LACKS_IT)
    code = 0
    try:
        run()
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
