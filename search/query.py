"""What a query is: weighted terms of text and image, and the page of results wanted. Parsing and validation only."""

from __future__ import annotations

from dataclasses import dataclass

from indexer.errors import ImageNotFound, InvalidQuery

DEFAULT_K = 20
MAX_K = 10_000
MAX_OFFSET = 100_000
MAX_ID = 2**63 - 1
"""The largest id that the catalog's database can hold."""
MAX_TEXT = 2_000
"""Characters. Encoders read 32 to 77 tokens; anything near this limit is a pasted document, not a query."""


@dataclass(frozen=True, slots=True)
class TextTerm:
    """Words to look for."""

    text: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class ImageTerm:
    """A picture to look for: the bytes of an image file."""

    data: bytes
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class IndexedTerm:
    """A picture of the collection to look for, by its id."""

    image_id: int
    weight: float = 1.0


Term = TextTerm | ImageTerm | IndexedTerm


@dataclass(frozen=True, slots=True)
class Query:
    """Terms whose weighted embeddings are summed, and the ranks `offset + 1` to `offset + k` of what is nearest.

    Raises `InvalidQuery` when there is no term, a text is empty or too long, or k or offset is out of range, and
    `ImageNotFound` for an id that no collection can have.
    """

    terms: tuple[Term, ...]
    k: int = DEFAULT_K
    offset: int = 0
    min_probability: float = 0.0
    """Only hits that match at least so probably, 0 to 1; 0 for all."""

    def __post_init__(self) -> None:
        if not self.terms:
            raise InvalidQuery("nothing to search by; give a text, a picture, or the id of an indexed image")
        for term in self.terms:
            if isinstance(term, TextTerm):
                _check_text(term.text)
            elif isinstance(term, IndexedTerm) and not 0 <= term.image_id <= MAX_ID:
                raise ImageNotFound(term.image_id)
        check_page(self.k, self.offset)
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
        return cls(tuple(terms), k=k, offset=offset, min_probability=min_probability)


def check_page(k: int, offset: int) -> None:
    """Raises `InvalidQuery` when either is out of range."""
    if not 1 <= k <= MAX_K:
        raise InvalidQuery(f"k is {k:,}; it must be 1 to {MAX_K:,}")
    if not 0 <= offset <= MAX_OFFSET:
        raise InvalidQuery(f"offset is {offset:,}; it must be 0 to {MAX_OFFSET:,}")


def _check_text(text: str) -> None:
    if not text.strip():
        raise InvalidQuery("the text is empty; say in a few words what the picture shows")
    if len(text) > MAX_TEXT:
        raise InvalidQuery(f"the text has {len(text):,} characters; the limit is {MAX_TEXT:,}: shorten it")
