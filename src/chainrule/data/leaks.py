"""A quick look for information leaks before training: columns that give the answer away, rows on both sides.

Nothing here decides; each :class:`Finding` says what was seen and what to do about it.
"""

from __future__ import annotations

import itertools
import math
import re
import shlex
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from chainrule._base.wording import counted
from chainrule.data.prepare.encode import OrdinalEncoder
from chainrule.data.prepare.table import FittedPreparer, is_sometimes_given
from chainrule.data.schema import Column, Schema
from chainrule.data.sources.table import Table
from chainrule.data.split import Labels, Split, duplicate_groups
from chainrule.data.target import Target

FindingKind = Literal["proxy", "missingness", "identifier", "duplicates", "groups", "time", "preparer"]
MAX_AUC = 0.98  # a single column that ranks this well is more likely a leak than a discovery
MAX_CORRELATION = 0.99
MAX_ACCURACY = 0.98
MAX_PAIR_AUC = 0.99  # petals tell irises apart honestly with 0.98
_MIN_PURE_ROWS = 20
_PURE_SHARE = 0.99
_CHANCE = 1e-6
_MAX_PAIRED_CLASSES = 30


@dataclass(frozen=True)
class Finding:
    """One suspicion.

    Args:
        kind: which check found it.
        column: the column concerned, if it is one.
        message: what was seen, with numbers.
        action: what to do.
    """

    kind: FindingKind
    column: str | None
    message: str
    action: str


def scan(
    table: Table,
    schema: Schema,
    target: Target,
    split: Split | None = None,
    *,
    groups: Labels | None = None,
    time: Labels | None = None,
) -> tuple[Finding, ...]:
    """Look for leaks in a table and its split.

    Args:
        table: the rows that have a target (``table.take(target.rows)``).
        schema: the columns' kinds.
        target: the target of these rows.
        split: the split, to look for rows on both sides.
        groups: a group per row that must not be on both sides.
        time: a moment or number per row; training must not come after the test.

    Returns:
        Findings, columns first.

    Example:
        >>> from chainrule.data.schema import infer_schema
        >>> from chainrule.data.sources import read_table
        >>> from chainrule.data.target import read_target
        >>> table = read_table({"ill": [0, 1] * 20, "ward": [n % 2 * 10 + n / 100 for n in range(40)]})
        >>> for finding in scan(table, infer_schema(table), read_target(table, "ill")):
        ...     print(finding.message)
        column 'ward' alone predicts the target with an AUC of 1.000.
    """
    findings: list[Finding] = []
    for column in schema.columns:
        if column.name in target.encoder.columns or column.kind in ("constant", "all_missing"):
            continue
        is_feature = column.kind not in ("identifier", "text")
        if is_feature and (proxy := _proxy(table.column(column.name), column.kind, target)):
            findings.append(proxy)
            continue
        if column.missing and (missingness := _missingness(table.column(column.name), target)):
            findings.append(missingness)
    identifiers = [schema[name] for name in schema.of_kind("identifier") if name not in target.encoder.columns]
    if identifiers:
        findings.append(_identifiers(identifiers, table, split))
    if split is not None:
        features = [name for name in table.columns if name not in target.encoder.columns]
        findings += _across(table, features, split, groups=groups, time=time)
    return tuple(findings)


def check_preparer(preparer: FittedPreparer, split: Split) -> tuple[Finding, ...]:
    """Whether means, scales and categories were learnt from more rows than the training part."""
    if preparer.fitted_rows == split.train.size:
        return ()
    return (
        Finding(
            "preparer",
            None,
            f"the preparation was fitted on {preparer.fitted_rows:,} rows, but training has {split.train.size:,}: "
            "it has seen rows it will be judged by.",
            "Fit it on the training rows only: preparer.fit(table, schema, split.train).",
        ),
    )


def auc(scores: np.ndarray, is_positive: np.ndarray) -> float:
    """Area under the ROC curve by ranks (Mann-Whitney), ties counting half.

    Example:
        >>> auc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True]))
        0.75
    """
    num_positive = int(is_positive.sum())
    num_negative = is_positive.size - num_positive
    if not num_positive or not num_negative:
        return 0.5
    ranks = pl.Series(scores).rank("average").to_numpy()
    return float((ranks[is_positive].sum() - num_positive * (num_positive + 1) / 2) / (num_positive * num_negative))


def _identifiers(columns: list[Column], table: Table, split: Split | None) -> Finding:
    """One finding for all identifiers: what is used of them, and which could keep rows together."""
    if len(columns) == 1:
        message = f"column {columns[0].name!r} looks like an identifier: {columns[0].reason}."
    else:
        message = f"columns {_listed([column.name for column in columns])} look like identifiers."
    train = table if split is None else table.take(split.train)
    marked = [column.name for column in columns if is_sometimes_given(train.column(column.name))]
    if not marked:
        action = "It is not used as a feature." if len(columns) == 1 else "They are not used as features."
    elif len(columns) == 1:
        action = "Its text is not used, only whether it is filled in."
    else:
        action = (
            f"Their text is not used, only whether {_listed(marked)} {'is' if len(marked) == 1 else 'are'} filled in."
        )
    repeated = [column.name for column in columns if not column.missing and column.unique < column.rows]
    if repeated and (split is None or not re.search("by (group|time)", split.how)):
        action += f" If rows of one value belong together, keep them on one side: --group {shlex.quote(repeated[0])}"
    return Finding("identifier", columns[0].name if len(columns) == 1 else None, message, action)


def _listed(names: list[str]) -> str:
    quoted = [repr(name) for name in names]
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)


def _proxy(values: pl.Series, kind: str, target: Target) -> Finding | None:
    """A column that predicts the target (nearly) alone, measured on rows other than those it was learnt from."""
    present = values.is_not_null().to_numpy()
    if present.sum() < _MIN_PURE_ROWS or present.mean() < 0.5 or target.task == "multilabel":
        return None
    part, truth = values.filter(pl.Series(present)), target.values[present]
    is_number = kind == "number" and part.dtype.is_numeric()
    if target.task == "regression":
        if not is_number:
            return None
        strength = abs(_correlation(part.to_numpy(), truth))
        found, what = strength >= MAX_CORRELATION, f"follows the target with a rank correlation of {strength:.3f}"
    elif target.task == "binary":
        strength = _binary_auc(part, truth == 1, is_number=is_number)
        found, what = strength >= MAX_AUC, f"alone predicts the target with an AUC of {strength:.3f}"
    elif is_number:
        strength = _least_pair_auc(part.to_numpy(), truth)
        found, what = (
            strength >= MAX_PAIR_AUC,
            f"alone tells every two classes apart with an AUC of {strength:.3f} or more",
        )
    else:
        strength = _balanced_accuracy(_codes(part), truth, len(target.classes))
        found, what = strength >= MAX_ACCURACY, f"alone predicts {strength:.1%} of each class's rows"
    if not found:
        return None
    return Finding("proxy", values.name, f"column {values.name!r} {what}.", _PROXY_ACTION)


_PROXY_ACTION = "Leave the column out, unless it is known before the outcome."


def _missingness(values: pl.Series, target: Target) -> Finding | None:
    """Whether being filled in or empty gives a class away."""
    if target.task in ("regression", "multilabel"):
        return None
    is_given = values.is_not_null().to_numpy()
    if target.task == "binary":
        area = auc(is_given.astype(float), target.values == 1)
        if max(area, 1 - area) >= 0.95:
            return Finding(
                "missingness",
                values.name,
                f"whether column {values.name!r} is filled in predicts the target with an AUC of "
                f"{max(area, 1 - area):.3f}.",
                _PROXY_ACTION,
            )
    shares = np.bincount(target.values, minlength=len(target.classes)) / target.values.size
    for rows, state in ((is_given, "filled in"), (~is_given, "empty")):
        if rows.sum() < _MIN_PURE_ROWS:
            continue
        counts = np.bincount(target.values[rows], minlength=len(target.classes))
        label = int(counts.argmax())
        is_unlikely = rows.sum() * math.log(shares[label]) < math.log(_CHANCE)
        if counts[label] >= _PURE_SHARE * rows.sum() and is_unlikely:
            return Finding(
                "missingness",
                values.name,
                f"where column {values.name!r} is {state} ({int(rows.sum()):,} rows), {counts[label] / rows.sum():.1%} "
                f"are of the class {target.classes[label]!r}, which {shares[label]:.1%} of all rows are.",
                _PROXY_ACTION,
            )
    return None


def _correlation(x: np.ndarray, y: np.ndarray) -> float:
    """Spearman's rank correlation."""
    ranks = [pl.Series(values).rank("average").to_numpy() for values in (x, y)]
    centred = [rank - rank.mean() for rank in ranks]
    norm = math.sqrt(float((centred[0] ** 2).sum() * (centred[1] ** 2).sum()))
    return float((centred[0] * centred[1]).sum()) / norm if norm else 0.0


def _binary_auc(values: pl.Series, is_positive: np.ndarray, *, is_number: bool) -> float:
    if is_number:
        area = auc(values.to_numpy(), is_positive)
        return max(area, 1 - area)
    codes = _codes(values)
    scores = np.empty(codes.size)
    for half in (0, 1):  # rates from one half judge the other, or high cardinality would look like knowledge
        here = np.arange(codes.size) % 4 // 2 == half
        totals = np.bincount(codes[~here], minlength=codes.max() + 1)
        hits = np.bincount(codes[~here], is_positive[~here], minlength=codes.max() + 1)
        prior = float(is_positive[~here].mean())
        scores[here] = ((hits + prior) / (totals + 1.0))[codes[here]]
    return auc(scores, is_positive)


def _balanced_accuracy(codes: np.ndarray, truth: np.ndarray, num_classes: int) -> float:
    """Mean over classes of the share found by the most frequent class of each bin, learnt on the other half."""
    found = np.zeros(codes.size, bool)
    for half in (0, 1):
        here = np.arange(codes.size) % 4 // 2 == half
        counts = np.zeros((codes.max() + 1, num_classes))
        np.add.at(counts, (codes[~here], truth[~here]), 1.0)
        found[here] = counts.argmax(axis=1)[codes[here]] == truth[here]
    return float(np.mean([found[truth == label].mean() for label in np.unique(truth)]))


def _codes(values: pl.Series) -> np.ndarray:
    return OrdinalEncoder().fit(values).transform(values).values


def _least_pair_auc(values: np.ndarray, truth: np.ndarray) -> float:
    """The smallest AUC over pairs of classes; 0.5 where there are too many classes to look at."""
    labels = np.unique(truth)
    if labels.size > _MAX_PAIRED_CLASSES:
        return 0.5
    least = 1.0
    for one, other in itertools.combinations(labels.tolist(), 2):
        rows = (truth == one) | (truth == other)
        area = auc(values[rows], truth[rows] == one)
        least = min(least, max(area, 1 - area))
        if least < MAX_PAIR_AUC:
            break
    return least


def _across(
    table: Table, features: list[str], split: Split, *, groups: Labels | None, time: Labels | None
) -> list[Finding]:
    held_out = np.concatenate([split.validation, split.test])
    findings = []
    if features and held_out.size:
        ids = duplicate_groups(table, features)
        num_twins = int(np.isin(ids[held_out], ids[split.train]).sum())
        if num_twins:
            copies = counted(
                num_twins,
                "validation or test row is an exact copy of a training row.",
                "validation and test rows are exact copies of training rows.",
            )
            action = "Keep copies on one side (split the table itself), or remove them."
            findings.append(Finding("duplicates", None, copies, action))
    if groups is not None:
        ids = pl.Series(groups).rank("dense").to_numpy()
        shared = np.intersect1d(ids[held_out], ids[split.train])
        if shared.size:
            groups_with = counted(shared.size, "group has", "groups have")
            message = f"{groups_with} rows both in training and in validation or test."
            findings.append(Finding("groups", None, message, "Split by group."))
    if time is not None and split.test.size:
        order = pl.Series(time).rank("dense").to_numpy()
        num_late = int((order[split.train] >= order[split.test].min()).sum())
        if num_late:
            message = (
                f"{counted(num_late, 'training row is', 'training rows are')} not earlier than the first test row."
            )
            findings.append(Finding("time", None, message, "Split by time."))
    return findings
