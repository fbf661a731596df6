"""The manifest: what a collection must know of the model that made it."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass

from indexer.images import CAREFUL, DECODE_POLICIES, DecodedImage, Limits, Preprocessing, decode, of_files


@dataclass(frozen=True, slots=True)
class Manifest:
    """What made the embeddings of a collection.

    A model's manifest belongs to a collection's when all that the model decides is the same. Precision may differ, so
    that a collection moves between machines; the decode policy is the collection's own choice. float16 and float32 of
    `mini` agree to a cosine of 0.9999; bfloat16 moves its convolutional tower more (median 0.998, worst 0.98), yet a
    picture still finds its own float32 row first, and R@10 moves by 0.4 points.
    """

    model: str
    """The name that loads the model again: `mini`, `ViT-B-32/laion2b_s34b_b79k`, `hf-hub:...`, `local-dir:...`."""
    weights_hash: str
    """SHA-256 of the weights file, hexadecimal."""
    dimension: int
    preprocessing: Preprocessing
    tokenizer: str
    """The tokenizer's name and its rule, such as `SimpleTokenizer/77/lower`."""
    precision: str
    """`float32`, `bfloat16`, `float16` or `int8`: what the embeddings were computed in."""
    decode_policy: str = CAREFUL.name
    """The name of a `DecodePolicy`. An encoder does not decode: of its manifest this field counts for nothing."""

    @property
    def has_thumbnails(self) -> bool:
        """Whether embeddings were made of thumbnails where the files were not read."""
        return self.decode_policy != of_files(self.decode_policy)

    def decode(self, data: bytes, limits: Limits | None = None, *, look: bool = False) -> DecodedImage:
        """A picture as it is encoded here, to be indexed or to search with: our preprocessing, our decode policy.

        With its look, if that is asked for. Raises `UndecodableImage` and `ImageTooLarge`.
        """
        return decode(data, self.preprocessing, limits or Limits(), DECODE_POLICIES[self.decode_policy], look=look)

    def difference(self, other: Manifest) -> tuple[str, str, str] | None:
        """The first field in which `other`, a model's, does not belong to us: its name, our value, theirs; else None.

        A decode policy that this version does not know is a difference: there is nothing to decode queries by.
        """
        if self.decode_policy not in DECODE_POLICIES:
            return "decode policy", self.decode_policy, other.decode_policy
        for field in dataclasses.fields(self):
            if field.name in ("precision", "decode_policy"):
                continue
            ours, theirs = getattr(self, field.name), getattr(other, field.name)
            # The same weights under another name (a folder that was moved) are the same model.
            if ours != theirs and not (field.name == "model" and self.weights_hash == other.weights_hash):
                return field.name.replace("_", " "), str(ours), str(theirs)
        return None

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        fields = json.loads(text)
        return cls(**{**fields, "preprocessing": Preprocessing.from_dict(fields["preprocessing"])})
