"""Fit what search/relevance/head.py ships, on photos that benchmarks/relevance.py does not report on.

    python benchmarks/relevance_fit.py flickr8k-train.tar tiny-imagenet.tar fashion-products.tar clothing-cc0.tar \\
        flowers.tar

Prints the numbers to put there. Every trial counts the same, whatever its size: a logistic regression over all its
pairs of query and photo for `HEAD`; over its queries for `PRESENT`, whose bias is moved so that in no trial
more than 15 % of the queries that have matches are said to have none: to call a full answer empty is worse than to say
nothing of an empty one. `CUT` is the probability, in steps of 0.05, at which F1 is highest on average.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # run by its path, this folder would come first, and its search.py hide the package `search`
    sys.path[0] = str(Path(__file__).parents[1])

import numpy as np
import typer
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from benchmarks.relevance_trials import Photos, Trial, embedded, names_elsewhere, of_labels, of_words, thinned
from indexer.encoder import Encoder, load_encoder
from search.relevance.background import Seen, Vocabulary
from search.relevance.features import QueryNull, features, of_the_best
from search.relevance.vocabulary import VOCABULARY

MANY_CLASSES, MOST = 50, 1000
WRONG = 0.15

Rows = NDArray[np.float32]


def trials(sets: list[Photos]) -> list[Trial]:
    """Words of captions and labels, each with what is absent; single photos of a class, alone and among others."""
    found = []
    captioned = [photos for photos in sets if not photos.classes()]
    for photos in sets:
        absent = names_elsewhere(photos, [other for other in sets if other is not photos])
        if photos in captioned:
            found.append(of_words(photos, absent))
            continue
        found.append(of_labels(photos, absent=absent[::4]))
        if len(photos.classes()) > MANY_CLASSES:
            found += [thinned(photos), *(thinned(photos, other) for other in captioned)]
    return found


def table(trial: Trial, encoder: Encoder, vocabulary: Vocabulary) -> tuple[Rows, NDArray[np.int8], Rows]:
    """Features `(queries, n, 3)`, truth `(queries, n)`, and of the best `(queries, 4)`."""
    seen = Seen.of(trial.vectors, vocabulary)
    rows, best = [], []
    for vector in encoder.encode_texts(trial.texts):
        scores = trial.vectors @ vector
        rows.append(features(scores, seen.beside(vocabulary.others(vector)), QueryNull.of(scores)))
        best.append(of_the_best(rows[-1], len(scores)))
    return np.stack(rows), trial.truth, np.concatenate(best)


def fitted(rows: Rows, right: NDArray[np.bool_], weights: NDArray[np.float64]) -> LogisticRegression:
    return LogisticRegression(C=1e3, max_iter=1000).fit(rows, right, sample_weight=weights)


def main(
    shards: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="Tars to fit on.")],
    model: Annotated[str, typer.Option(help="The model that embeds.")] = "mini",
    most: Annotated[int, typer.Option(help="Photos of each shard.")] = MOST,
) -> None:
    encoder = load_encoder(model, precision="float32")
    vocabulary = Vocabulary.of(encoder.encode_texts(VOCABULARY))
    asked = trials([embedded(shard, encoder, most) for shard in shards])
    tables = [table(trial, encoder, vocabulary) for trial in asked]
    counted = [truth >= 0 for _, truth, _ in tables]
    head = fitted(
        np.concatenate([rows[mask] for (rows, _, _), mask in zip(tables, counted, strict=True)]),
        np.concatenate([truth[mask] == 1 for (_, truth, _), mask in zip(tables, counted, strict=True)]),
        np.concatenate([np.full(mask.sum(), 1e6 / mask.sum()) for mask in counted]),
    )
    print(f"HEAD: weights={head.coef_[0].round(4).tolist()}, bias={head.intercept_[0]:.4f}")
    best_cut(asked, tables, head)
    of_presence(asked, tables)


def best_cut(asked: list[Trial], tables: list[tuple[Rows, NDArray[np.int8], Rows]], head: LogisticRegression) -> None:
    cuts = np.arange(0.05, 0.55, 0.05)
    f1 = np.empty((len(asked), len(cuts)))
    for number, (trial, (rows, truth, _)) in enumerate(zip(asked, tables, strict=True)):
        truth = truth[trial.present]
        likely = head.predict_proba(rows[trial.present].reshape(-1, rows.shape[-1]))[:, 1].reshape(truth.shape)
        for place, cut in enumerate(cuts):
            chosen = (likely > cut) & (truth >= 0)
            f1[number, place] = 200 * (chosen & (truth == 1)).sum() / (chosen.sum() + (truth == 1).sum())
        print(f"{trial.name}: F1 by cut", f1[number].round(1).tolist())
    print(f"CUT: {cuts[f1.mean(axis=0).argmax()]:.2f}, F1 {f1.mean(axis=0).round(1).tolist()}")


def of_presence(asked: list[Trial], tables: list[tuple[Rows, NDArray[np.int8], Rows]]) -> None:
    rows = np.concatenate([best for _, _, best in tables])
    present = np.concatenate([trial.present for trial in asked])
    weights = np.concatenate(
        [
            np.where(there, 100 / max(1, there.sum()), 100 / max(1, (~there).sum()))
            for there in (trial.present for trial in asked)
        ]
    )
    head = fitted(rows, present, weights)
    logits = head.decision_function(rows)
    parted = np.split(logits, np.cumsum([len(trial.texts) for trial in asked])[:-1])
    limit = min(float(np.quantile(of_one[trial.present], WRONG)) for trial, of_one in zip(asked, parted, strict=True))
    print(f"PRESENT: weights={head.coef_[0].round(4).tolist()}, bias={head.intercept_[0] - limit:.4f}")
    for trial, of_one in zip(asked, parted, strict=True):
        there = of_one > limit
        right = 100 * float((~there[~trial.present]).mean()) if not trial.present.all() else float("nan")
        print(f"{trial.name}: absent found absent {right:.0f} %, present {100 * (~there[trial.present]).mean():.0f} %")


if __name__ == "__main__":
    typer.run(main)
