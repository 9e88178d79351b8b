"""Passwords proven a moment ago."""

from __future__ import annotations

from pypi.accounts.proven import LIFETIME, MOST, Proven


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_only_the_very_pair_is_known() -> None:
    """Neither another password nor another hash, such as that of a changed password, is known."""
    proven = Proven(Clock(), bytes(32))
    proven.note("hash", "password")
    assert proven.knows("hash", "password")
    assert not proven.knows("hash", "Password")
    assert not proven.knows("new hash", "password")
    assert not proven.knows("hash\0pass", "word")


def test_a_proof_does_not_last() -> None:
    """After some minutes the password has to be proven again."""
    clock = Clock()
    proven = Proven(clock, bytes(32))
    proven.note("hash", "password")
    clock.now += LIFETIME - 1
    assert proven.knows("hash", "password")
    clock.now += 1
    assert not proven.knows("hash", "password")


def test_it_is_bounded() -> None:
    """The oldest proofs make room for new ones."""
    proven = Proven(Clock(), bytes(32))
    for number in range(MOST + 10):
        proven.note("hash", str(number))
    assert not proven.knows("hash", "9")
    assert proven.knows("hash", "10")
    assert proven.knows("hash", str(MOST + 9))


def test_nothing_of_the_password_is_kept() -> None:
    """A dump of the memory shows neither password nor hash."""
    proven = Proven(Clock(), b"k" * 32)
    proven.note("the hash", "the password")
    assert b"the " not in b"".join(proven._until)
