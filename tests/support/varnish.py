"""A real Varnish in a process of its own, with our VCL, before whatever a test puts behind it."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from attrs import define, field

from tests.support.service import ROOT

PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
PATIENCE = 60.0


def program(name: str) -> str:
    """Where a program of Varnish is; skips the test where it is not installed."""
    found = shutil.which(name, path=PATH)
    if found is None:
        pytest.skip(f"{name} is not installed: apt-get install varnish varnish-modules")
    return found


def has_modules() -> bool:
    """Whether the modules our VCL needs are there."""
    return any(Path("/usr").glob("lib*/**/varnish/vmods/libvmod_xkey.so"))


@define(eq=False)
class VarnishServer:
    """One instance.

    Attributes:
        folder: for its work.
        backend: TCP port of what is behind it, on loopback.
        secret: what purgers have to know.
        purgers: addresses that may purge.
    """

    folder: Path
    backend: int
    secret: str = ""
    purgers: tuple[str, ...] = ("127.0.0.1",)
    port: int = field(default=0, init=False)
    process: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)

    @property
    def url(self) -> str:
        """Where it answers, without a slash at its end."""
        return f"http://127.0.0.1:{self.port}"

    def site(self) -> str:
        """The site's own VCL: the one we hand out, with the places of this test."""
        text = (ROOT / "deploy" / "varnish" / "default.vcl").read_text(encoding="utf-8")
        ours = ROOT / "caching" / "vcl" / "cheeseshop.vcl"
        allowed = "".join(f'    "{address}";\n' for address in self.purgers)
        changes = {
            ".first_byte_timeout = 10s": ".first_byte_timeout = 2s",
            '"8080"': f'"{self.backend}"',
            '"/etc/varnish/cheeseshop.vcl"': f'"{ours}"',
            'set("cheeseshop.secret", "")': f'set("cheeseshop.secret", "{self.secret}")',
            'acl purgers {\n    "127.0.0.1";\n    "::1";\n': f"acl purgers {{\n{allowed}",
        }
        for old, new in changes.items():
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        return text

    def start(self) -> VarnishServer:
        """Start it, and wait until it answers.

        Returns:
            itself.
        """
        daemon, admin = program("varnishd"), program("varnishadm")
        if not has_modules():
            pytest.skip("The module xkey is not installed: apt-get install varnish-modules")
        self.folder.mkdir(parents=True, exist_ok=True)
        work, vcl = self.folder / "work", self.folder / "site.vcl"
        vcl.write_text(self.site())
        # Varnish keeps its compiled VCL where it works: the path must not be too long for a socket's.
        command = [daemon, "-F", "-j", "none", "-n", work, "-a", "127.0.0.1:0", "-f", vcl]
        command += ["-s", "malloc,32m", "-p", "thread_pool_min=10", "-p", "thread_pools=1"]
        with (self.folder / "varnish.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        ends = time.monotonic() + PATIENCE
        asking = [admin, "-n", str(work), "debug.listen_address"]
        while not self.port:
            if self.process.poll() is not None or time.monotonic() > ends:
                self.end()
                pytest.fail(f"Varnish did not start:\n{(self.folder / 'varnish.log').read_text()}")
            said = subprocess.run(asking, capture_output=True, text=True, timeout=10).stdout.split()
            if len(said) >= 3 and said[2].isdigit():
                self.port = int(said[2])
            else:
                time.sleep(0.05)
        return self

    def end(self) -> None:
        """Leave nothing running."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
