"""Faults: how XML-RPC says no, with the codes and words that clients have always been given."""

from __future__ import annotations

from xmlrpc.client import Fault  # the type alone: nothing is parsed by that module here

PARSE_ERROR = -32700
NO_SUCH_METHOD = -32601
INVALID_PARAMS = -32602
APPLICATION_ERROR = -32500
UNAVAILABLE = -32403


def not_well_formed() -> Fault:
    """The body is no call."""
    return Fault(PARSE_ERROR, "parse error; not well formed")


def no_such_method() -> Fault:
    """Nobody has ever answered to that name."""
    return Fault(NO_SUCH_METHOD, "server error; requested method not found")


def invalid_params(*complaints: str) -> Fault:
    """The arguments are not those of the method.

    Args:
        complaints: such as ``serial: Input should be a valid integer``, the parameter first.
    """
    return Fault(INVALID_PARAMS, "; ".join(("client error", *complaints)))


def refused(kind: str, sentence: str) -> Fault:
    """The call was understood, and is not answered.

    Args:
        kind: the name of an exception, which old clients look for.
    """
    return Fault(APPLICATION_ERROR, f"{kind}: {sentence}")


def mistake() -> Fault:
    """The index made a mistake; its operator finds it in the log."""
    return Fault(APPLICATION_ERROR, "application error")


def unavailable() -> Fault:
    """What the answer is made from cannot be had at the moment."""
    return Fault(UNAVAILABLE, "server error; service unavailable")


def too_many(seconds: int) -> Fault:
    """The client calls too often.

    Args:
        seconds: until it may call again; at least 1.
    """
    sentence = "The action could not be performed because there were too many requests by the client."
    return refused("HTTPTooManyRequests", f"{sentence} Limit may reset in {max(1, seconds)} seconds.")
