"""What a query is: weighted terms of text and image, filters, order and the page wanted. Validation only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from indexer.errors import ImageNotFound, InvalidQuery
from search.filters import Filter, Range, check_size
from search.region import Region

DEFAULT_K = 20
MAX_K = 10_000
MAX_OFFSET = 100_000
MAX_ID = 2**63 - 1
"""The largest id that the catalog's database can hold."""
MAX_TEXT = 2_000
"""Characters. Encoders read 32 to 77 tokens; anything near this limit is a pasted document, not a query."""
MAX_TERMS = 32
MIN_WEIGHT, MAX_WEIGHT = 0.001, 100.0
MAX_PROMPTS = 32
MAX_MARKS = 1000
DEFAULT_AMONG = 200
"""Of the best hits, how many are meant where a query with terms is sorted by something else, or counted in facets."""
MAX_AMONG = 10_000

UNWANTED = -0.5
"""The weight of what is not to be seen, unless another is given; docs/queries.md says what it does, and what -1."""

EVERY_IMAGE = Range("bytes", 0, None)
"""A filter that all images pass."""

Sort = Literal["score", "newest", "oldest", "name", "rating"]
SORTS: tuple[Sort, ...] = get_args(Sort)


@dataclass(frozen=True, slots=True)
class TextTerm:
    """Words to look for; with a negative weight, what is not to be seen."""

    text: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class ImageTerm:
    """A picture to look for: the bytes of an image file, all of it or a region."""

    data: bytes
    weight: float = 1.0
    region: Region | None = None


@dataclass(frozen=True, slots=True)
class IndexedTerm:
    """A picture of the collection to look for, by its id. For a region of it its file is read."""

    image_id: int
    weight: float = 1.0
    region: Region | None = None


Term = TextTerm | ImageTerm | IndexedTerm


@dataclass(frozen=True, slots=True)
class Feedback:
    """Ids of hits that were marked: as right, and as wrong, which are not shown again."""

    right: tuple[int, ...] = ()
    wrong: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        marks = (*self.right, *self.wrong)
        if not 1 <= len(marks) <= MAX_MARKS:
            raise InvalidQuery(f"{len(marks):,} hits are marked; mark 1 to {MAX_MARKS}")
        if both := set(self.right) & set(self.wrong):
            raise InvalidQuery(f"image {min(both)} is marked right and wrong; leave it out of one")
        for mark in marks:
            if not 0 <= mark <= MAX_ID:
                raise ImageNotFound(mark)


@dataclass(frozen=True, slots=True)
class Query:
    """What is to be seen and what not, the filter that images have to pass, and ranks `offset + 1` to `offset + k`.

    Without terms and filter, an order lists every image.

    Raises `InvalidQuery` when there is nothing to go by, when nothing is looked for and only something not,
    when a text, a weight, k or offset is out of range, and `ImageNotFound` for an id that no collection can have.
    """

    terms: tuple[Term, ...]
    k: int = DEFAULT_K
    offset: int = 0
    filter: Filter | None = None
    sort: Sort | None = None
    """None: by score; without terms, the newest first."""
    prompts: tuple[str, ...] = ()
    """Sentences with {} in the place of a text: each text stands for the mean of them all."""
    among: int = DEFAULT_AMONG
    """With terms: how many of the best are sorted by `sort`, and counted in facets."""
    collapse: bool = False
    """Show of each group of duplicates the best hit only; ranks count what is shown."""
    relevance: bool = False
    """Say of each hit how likely it matches, and about how many images do, where that is known."""
    min_probability: float = 0.0
    """Only hits that match at least so probably, 0 to 1; 0 for all."""
    feedback: Feedback | None = None
    """What was said of earlier hits of the same terms."""
    words: bool | None = None
    """Whether the words of the texts are also looked for in what is known about images; None: where texts alone say
    what is to be seen, and hits need not be likely."""

    def __post_init__(self) -> None:
        if not self.terms and self.filter is None and self.sort not in (None, "score"):
            object.__setattr__(self, "filter", EVERY_IMAGE)
        self._check_terms()
        _check_prompts(self.prompts)
        if self.sort is not None and self.sort not in SORTS:
            raise InvalidQuery(f"cannot sort by {self.sort!r}; sort by {', '.join(SORTS)}")
        if self.feedback is not None and not self.terms:
            raise InvalidQuery("marks say what a query means; give the text or picture that was looked for, too")
        if not self.terms and self.sort == "score":
            raise InvalidQuery("without something to look for there is no score to sort by; sort by newest or name")
        if not 1 <= self.among <= MAX_AMONG:
            raise InvalidQuery(f"among is {self.among:,}; it must be 1 to {MAX_AMONG:,}")
        check_page(self.k, self.offset)
        if self.words and not self.wanted_texts:
            raise InvalidQuery("only the words of a text can be looked for; give one, or leave words out")
        if self.words and self.min_probability:
            raise InvalidQuery("how likely hits by words match is not known; leave out words, or --likely")
        if not 0 <= self.min_probability <= 1:
            raise InvalidQuery(f"the least probability is {self.min_probability:g}; it must be 0 to 1")

    @classmethod
    def of(
        cls,
        *,
        text: str | None = None,
        image: bytes | None = None,
        image_id: int | None = None,
        k: int = DEFAULT_K,
        offset: int = 0,
        collapse: bool = False,
        relevance: bool = False,
        min_probability: float = 0.0,
    ) -> Query:
        """A query of whichever terms are given, each with weight 1."""
        terms: list[Term] = []
        if text is not None:
            terms.append(TextTerm(text))
        if image is not None:
            terms.append(ImageTerm(image))
        if image_id is not None:
            terms.append(IndexedTerm(image_id))
        return cls(
            tuple(terms),
            k=k,
            offset=offset,
            collapse=collapse,
            relevance=relevance,
            min_probability=min_probability,
        )

    @property
    def order(self) -> Sort:
        """What the hits are sorted by."""
        return self.sort or ("score" if self.terms else "newest")

    @property
    def wanted_texts(self) -> tuple[str, ...]:
        """What is to be seen, as far as words say it."""
        return tuple(term.text for term in self.terms if isinstance(term, TextTerm) and term.weight > 0)

    @property
    def searches_words(self) -> bool:
        """Whether words are looked for, too."""
        if self.words is not None:
            return self.words
        wanted = [term for term in self.terms if term.weight > 0]
        return not self.min_probability and bool(wanted) and all(isinstance(term, TextTerm) for term in wanted)

    def _check_terms(self) -> None:
        if self.filter is not None:
            check_size(self.filter)
        elif not self.terms:
            raise InvalidQuery("nothing to search by; give a text, a picture, the id of an indexed image, or a filter")
        if len(self.terms) > MAX_TERMS:
            raise InvalidQuery(f"the query has {len(self.terms):,} terms; the limit is {MAX_TERMS}")
        for term in self.terms:
            _check_term(term)
        if self.terms and all(term.weight < 0 for term in self.terms):
            raise InvalidQuery("the query only says what is not to be seen; add what is, or use a filter alone")


def check_page(k: int, offset: int) -> None:
    """Raises `InvalidQuery` when either is out of range."""
    if not 1 <= k <= MAX_K:
        raise InvalidQuery(f"k is {k:,}; it must be 1 to {MAX_K:,}")
    if not 0 <= offset <= MAX_OFFSET:
        raise InvalidQuery(f"offset is {offset:,}; it must be 0 to {MAX_OFFSET:,}")


def _check_term(term: Term) -> None:
    if not math.isfinite(term.weight) or not MIN_WEIGHT <= abs(term.weight) <= MAX_WEIGHT:
        raise InvalidQuery(
            f"the weight {term.weight:g} is out of range: it must be {MIN_WEIGHT:g} to {MAX_WEIGHT:g}, or as much "
            "below 0 for what is not to be seen"
        )
    if isinstance(term, TextTerm):
        _check_text(term.text)
    elif isinstance(term, IndexedTerm) and not 0 <= term.image_id <= MAX_ID:
        raise ImageNotFound(term.image_id)


def _check_text(text: str) -> None:
    if not text.strip():
        raise InvalidQuery("the text is empty; say in a few words what the picture shows")
    if len(text) > MAX_TEXT:
        raise InvalidQuery(f"the text has {len(text):,} characters; the limit is {MAX_TEXT:,}: shorten it")


def _check_prompts(prompts: Sequence[str]) -> None:
    if len(prompts) > MAX_PROMPTS:
        raise InvalidQuery(f"there are {len(prompts):,} prompts; the limit is {MAX_PROMPTS}")
    for prompt in prompts:
        if "{}" not in prompt or len(prompt) > MAX_TEXT:
            raise InvalidQuery(f"the prompt {prompt[:80]!r} must have {{}} in the place of the text: 'a photo of {{}}'")
