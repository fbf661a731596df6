from __future__ import annotations

import sys

import pytest

from indexer.errors import BrokenInstallation
from indexer.vectors.faiss_library import check_packages, installed_packages, load_faiss, one_thread


def test_exactly_one_package_is_installed_here() -> None:
    assert len(installed_packages()) == 1
    assert hasattr(load_faiss(), "IndexFlatIP")


def test_two_packages_at_once_are_refused_with_the_remedy() -> None:
    with pytest.raises(BrokenInstallation, match=r"pip uninstall faiss-cpu faiss-gpu`.*sightline\[gpu\]"):
        check_packages(["faiss-gpu", "faiss-cpu"])


def test_no_faiss_is_an_error_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)  # what Python itself puts there to forbid an import
    with pytest.raises(BrokenInstallation, match=r"pip install 'sightline\[cpu\]'"):
        load_faiss()


def test_one_thread_gives_the_others_back() -> None:
    faiss = load_faiss()
    usual = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(3)
    try:
        with one_thread(faiss):
            assert faiss.omp_get_max_threads() == 1
        assert faiss.omp_get_max_threads() == 3
    finally:
        faiss.omp_set_num_threads(usual)
