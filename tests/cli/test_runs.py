import json

from chainrule.cli.main import run


def test_runs_are_listed_also_unfinished_and_damaged_ones(tmp_path, capsys):
    for name, status in (("a", "finished"), ("b", "failed")):
        (tmp_path / name).mkdir()
        config = {"status": status, "data": "heart.csv", "question": {"target": ["x", "y"]}}
        (tmp_path / name / "config.json").write_text(json.dumps(config))
    (tmp_path / "a" / "metrics.json").write_text(
        json.dumps({"measure": "roc_auc", "scores": {"test": {"network": {"roc_auc": 0.91234}}}, "verdict": None})
    )
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "config.json").write_text("{")
    (tmp_path / "no-run").mkdir()
    assert run(["runs", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == [str(tmp_path / name) for name in "abc"]
    assert "roc_auc 0.912" in lines[1]
    assert "failed" in lines[2]
    assert run(["runs", str(tmp_path), "--json"]) == 0
    assert [item["status"] for item in json.loads(capsys.readouterr().out)] == ["finished", "failed", None]


def test_a_folder_that_is_not_there_is_status_2(tmp_path, capsys):
    assert run(["runs", str(tmp_path / "none")]) == 2
    assert "there is no such folder" in capsys.readouterr().err
