from __future__ import annotations

import os
import socket
import subprocess
import sys
from datetime import timedelta

from indexer.jobs.leases import LEASE, is_held, new_owner, now


def test_a_worker_of_this_process_holds_what_it_has_just_renewed() -> None:
    owner = new_owner()
    assert is_held(owner, now())
    assert owner != new_owner()


def test_nobody_holds_nothing() -> None:
    assert not is_held(None, None)
    assert not is_held(new_owner(), None)


def test_a_lease_runs_out() -> None:
    assert is_held(new_owner(), now() - LEASE + timedelta(seconds=5))
    assert not is_held(new_owner(), now() - LEASE - timedelta(seconds=1))


def test_a_process_that_is_gone_holds_nothing() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    here = socket.gethostname()[:64]
    assert not is_held(f"{here}:{ended.pid}:abc", now())
    assert is_held(f"{here}:{os.getpid()}:abc", now())
    assert is_held(f"{here}:1:abc", now())  # which may be somebody else's


def test_a_process_elsewhere_is_trusted_until_its_lease_runs_out() -> None:
    assert is_held("elsewhere:999999:abc", now())
    assert not is_held("elsewhere:999999:abc", now() - LEASE - timedelta(seconds=1))
