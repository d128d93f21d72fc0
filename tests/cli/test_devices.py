import json

import jax

from chainrule.cli.main import run


def test_the_devices_of_jax_are_listed(capsys):
    assert run(["devices", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [item["platform"] for item in found] == [device.platform for device in jax.devices()]
    assert run(["devices"]) == 0
    assert found[0]["kind"] in capsys.readouterr().out
