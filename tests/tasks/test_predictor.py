import numpy as np

from chainrule.tasks import fit_table


def test_columns_that_name_rows_stand_beside_the_answers(tmp_path):
    rng = np.random.default_rng(0)
    size = rng.normal(size=60)
    rows = {"patient_id": [f"p{n * 3}" for n in range(60)], "size": size, "ill": np.where(size > 0, "yes", "no")}
    run = fit_table(rows, target="ill", run=tmp_path / "run", epochs=1, report=False, verbose=0)
    answers = run.predict({"size": [3.0, -3.0], "patient_id": ["p7", "p5"]})
    assert answers.columns == ["patient_id", "predicted ill", "probability no", "probability yes"]
    assert answers["patient_id"].to_list() == ["p7", "p5"]
    without = run.predict({"size": [3.0, -3.0]})
    assert without.equals(answers.drop("patient_id"))
