import pytest


@pytest.fixture(autouse=True)
def no_cache_of_the_users(monkeypatch):
    monkeypatch.setenv("CHAINRULE_CACHE", "off")
