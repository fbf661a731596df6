"""What a request to search means: the body's fields as a `Query`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from indexer.errors import InvalidQuery
from search.box import Box, read_box
from search.filter_json import filter_from_json
from search.filters import all_of
from search.query import Feedback, ImageTerm, IndexedTerm, Query, Term, TextTerm
from search.region import Region
from web.schemas import SearchRequest
from web.search_schemas import TermIn
from web.uploads import QueryImage, QueryImages


@dataclass(frozen=True, slots=True)
class Asked:
    query: Query
    box: Box | None
    picture: QueryImage | None
    """The one that was sent, now or before, beside the terms."""


def read_query(wanted: SearchRequest, upload: bytes | None, kept: QueryImages) -> Asked:
    """Raises `InvalidQuery`, `ImageNotFound`, `QueryImageNotFound`, and `UnreadableImage` for an upload."""
    picture = _picture(wanted, upload, kept)
    box = None if wanted.box is None else read_box(wanted.box, local_now())
    filters = [box.filter] if box and box.filter else []
    if wanted.filter is not None:
        filters.append(filter_from_json(wanted.filter))
    said = wanted.feedback
    query = Query(
        (*_plain_terms(wanted, picture), *(box.terms() if box else ()), *(_term(term, kept) for term in wanted.terms)),
        k=wanted.k,
        offset=wanted.offset,
        filter=all_of(filters),
        sort=wanted.sort,
        prompts=tuple(wanted.prompts),
        among=wanted.among,
        collapse=wanted.collapse_duplicates,
        relevance=wanted.relevance,
        min_probability=wanted.min_probability,
        words=wanted.words,
        feedback=None if said is None else Feedback(tuple(said.right), tuple(said.wrong)),
    )
    return Asked(query, box, picture)


def local_now() -> datetime:
    """By this machine's clock and without a zone, as cameras write it."""
    return datetime.now(UTC).astimezone().replace(tzinfo=None)


def _picture(wanted: SearchRequest, upload: bytes | None, kept: QueryImages) -> QueryImage | None:
    """One sent now comes before one sent earlier."""
    if upload is not None:
        return kept.keep(upload)
    if wanted.query_image is not None:
        return QueryImage(wanted.query_image, kept.read(wanted.query_image))
    return None


def _plain_terms(wanted: SearchRequest, picture: QueryImage | None) -> tuple[Term, ...]:
    """Those of weight 1 that have fields of their own."""
    terms: list[Term] = []
    if picture is not None:
        terms.append(ImageTerm(picture.jpeg))
    if wanted.image_id is not None:
        terms.append(IndexedTerm(wanted.image_id))
    # A blank text beside something else says nothing; alone it is a query, and refused as an empty one.
    alone = not (terms or wanted.terms or wanted.box is not None or wanted.filter is not None)
    if wanted.text is not None and (wanted.text.strip() or alone):
        terms.append(TextTerm(wanted.text))
    return tuple(terms)


def _term(term: TermIn, kept: QueryImages) -> Term:
    given = [name for name in ("text", "image_id", "query_image") if getattr(term, name) is not None]
    if len(given) != 1:
        raise InvalidQuery("a term is one of text, image_id and query_image; give several terms for several things")
    region = None if term.region is None else Region(*term.region)
    if term.text is not None:
        if region is not None:
            raise InvalidQuery("a text has no region; give it with image_id or query_image")
        return TextTerm(term.text, term.weight)
    if term.image_id is not None:
        return IndexedTerm(term.image_id, term.weight, region)
    return ImageTerm(kept.read(str(term.query_image)), term.weight, region)
