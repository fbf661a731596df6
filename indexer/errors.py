"""Every error Sightline raises on purpose.

    SightlineError
    ├── InvalidRequest              what was asked for is wrong; ask differently
    │   ├── InvalidQuery            empty, too long, k out of range, nothing to search by
    │   ├── ImageNotFound           no image with that id in the collection
    │   ├── OriginalGone            an indexed image whose file is not there any more
    │   ├── QueryImageNotFound      no uploaded query picture of that name, or not any more
    │   ├── CursorExpired           a page of results that are not kept any more
    │   ├── JobNotFound             no job of that number
    │   ├── JobBusy                 a job that somebody is running
    │   ├── JobEnded                a job that is over: done or cancelled
    │   ├── ModelNotFound           a model that the collection has no embeddings of
    │   ├── NoPreviousModel         nothing to roll back to
    │   ├── ModelInUse              the model that serves cannot be dropped
    │   ├── NotReady                a model to promote that lacks embeddings of some images
    │   ├── UploadTooLarge          a request with more bytes than the service takes
    │   ├── InvalidSettings         an option, a SIGHTLINE_ variable or the TOML file holds a value out of range
    │   ├── UnknownModel            neither an open_clip name, a hub id nor a model folder
    │   ├── SourceNotFound          the folder to index is not there or is not a folder
    │   ├── InvalidDataset          a data set that is not there, damaged, or of no form we know
    │   ├── IncompleteDataset       a data set with images or captions missing
    │   ├── InvalidReport           a benchmark report that cannot be read or written
    │   ├── InvalidBackup           a backup that is not there or damaged, or a place that is in use
    │   ├── InvalidExport           a place to export to that is in use
    │   ├── InvalidEmbeddings       embeddings made elsewhere that are not there, damaged, or of another form
    │   ├── EmbeddingsDisagree      embeddings made elsewhere that the model named did not make
    │   ├── InvalidTraining         a training option out of range, or an output folder that is in use
    │   └── CheckpointMismatch      a training to resume that was begun with another model, data or settings
    ├── UnreadableImage             these bytes cannot be used as a picture
    │   ├── UndecodableImage        not an image, damaged, truncated, or a format we cannot read
    │   └── ImageTooLarge           more pixels or bytes than the limit
    ├── BrokenInstallation          packages that are missing or stand in each other's way
    ├── ModelError
    │   ├── WeightsNotFound         the model is known, its weights are not on this machine
    │   ├── ModelLoadFailed         weights or config that open_clip cannot load
    │   └── ModelTooLarge           it does not fit into the memory of this machine or its GPU
    ├── TrainingError
    │   ├── TrainingDiverged        the loss is not a number any more
    │   ├── TrainingTooLarge        model and batch do not fit into memory
    │   └── CheckpointDamaged       a training to resume whose checkpoint cannot be read
    └── CollectionError
        ├── CollectionNotFound      no collection in that folder
        ├── ForeignCollection       the folder holds something that Sightline did not make
        ├── CollectionTooNew        made by a newer Sightline
        ├── CollectionDamaged       the catalog itself cannot be read
        ├── CollectionLocked        another indexer is writing to it
        ├── CollectionUnavailable   the disk is full, read-only, failing, or refuses access
        ├── ModelReplaced           another model was promoted since the collection was opened
        └── ModelMismatch           the collection was made with another model

Errors of other libraries are translated into these once, at the edge of the module that meets them, with `from`.
A message names the thing, the limit and the remedy, in one line.
"""

from __future__ import annotations


class SightlineError(Exception):
    """Base of every error that Sightline raises on purpose; `str(error)` is one line for a person."""


class InvalidRequest(SightlineError):
    """What was asked for is wrong."""


class InvalidQuery(InvalidRequest):
    """A query that cannot be answered as it stands."""


class ImageNotFound(InvalidRequest):
    def __init__(self, image_id: int) -> None:
        self.image_id = image_id
        super().__init__(f"no image with id {image_id} in this collection; it may have been removed")


class OriginalGone(InvalidRequest):
    def __init__(self, image_id: int, reason: str) -> None:
        self.image_id = image_id
        super().__init__(f"the file of image {image_id} cannot be read ({reason}); index its folder again")


class QueryImageNotFound(InvalidRequest):
    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"no query picture {name!r}; only the newest are kept: send the picture again")


class CursorExpired(InvalidRequest):
    def __init__(self) -> None:
        super().__init__("these results are not kept any more; search again, or go on by offset")


class JobNotFound(InvalidRequest):
    def __init__(self, job_id: int) -> None:
        self.job_id = job_id
        super().__init__(f"no job {job_id} in this collection; `sightline jobs` lists them")


class JobBusy(InvalidRequest):
    def __init__(self, job_id: int) -> None:
        self.job_id = job_id
        super().__init__(f"job {job_id} is running already; `sightline jobs pause {job_id}` stops it at its next batch")


class JobEnded(InvalidRequest):
    def __init__(self, job_id: int, state: str) -> None:
        self.job_id = job_id
        self.state = state
        super().__init__(f"job {job_id} is {state}; start a new one")


class ModelNotFound(InvalidRequest):
    def __init__(self, library: str, model: str) -> None:
        self.model = model
        super().__init__(
            f"the collection in {library!r} has no embeddings of model {model}; `sightline reindex --model` makes them"
        )


class NoPreviousModel(InvalidRequest):
    def __init__(self, library: str) -> None:
        self.library = library
        super().__init__(
            f"no other model has answered the searches of the collection in {library!r}, or it was pruned; "
            "`sightline reindex --model` fills one"
        )


class ModelInUse(InvalidRequest):
    def __init__(self, model: str) -> None:
        self.model = model
        super().__init__(f"the model {model} answers the searches; promote another one before it is dropped")


class NotReady(InvalidRequest):
    def __init__(self, model: str, missing: int) -> None:
        self.model = model
        self.missing = missing
        super().__init__(
            f"{missing:,} images have no embedding of {model} yet; `sightline reindex --model {model}` makes them"
        )


class UploadTooLarge(InvalidRequest):
    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(
            f"the upload is over the limit of {limit:,} bytes; send a smaller picture, "
            "or serve with a larger SIGHTLINE_MAX_UPLOAD_MB"
        )


class InvalidSettings(InvalidRequest):
    def __init__(self, name: str, value: str, reason: str) -> None:
        self.name = name
        self.value = value
        super().__init__(f"setting {name!r} cannot be {value!r}: {reason}; `sightline settings` lists what is allowed")


class UnknownModel(InvalidRequest):
    def __init__(self, model: str, reason: str) -> None:
        self.model = model
        super().__init__(f"unknown model {model!r}: {reason}; `sightline models` lists what can be used")


class SourceNotFound(InvalidRequest):
    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        super().__init__(f"cannot index {path!r}: {reason}")


class InvalidDataset(InvalidRequest):
    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        super().__init__(f"cannot use data set {path!r}: {reason}")


class IncompleteDataset(InvalidRequest):
    def __init__(self, path: str, problems: tuple[str, ...]) -> None:
        self.path = path
        self.problems = problems
        super().__init__(
            f"data set {path!r} is not whole: {'; '.join(problems)}; complete it, or measure what is there with "
            "--allow-partial, which marks every result as partial"
        )


class InvalidReport(InvalidRequest):
    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        super().__init__(f"cannot use benchmark report {path!r}: {reason}")


class InvalidBackup(InvalidRequest):
    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        super().__init__(f"cannot use backup {path!r}: {reason}")


class InvalidExport(InvalidRequest):
    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        super().__init__(f"cannot export to {path!r}: {reason}")


class InvalidEmbeddings(InvalidRequest):
    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        super().__init__(f"cannot import {path!r}: {reason}")


class EmbeddingsDisagree(InvalidRequest):
    def __init__(self, path: str, model: str, *, median: float, least: float, reason: str) -> None:
        self.path = path
        self.model = model
        self.median = median
        self.least = least
        super().__init__(
            f"{path!r} was not made with {model!r}: encoded again, its pictures have a cosine of {median:.3f} (median) "
            f"with their embeddings, not {least} or more; {reason}"
        )


class InvalidTraining(InvalidRequest):
    """What was asked of training cannot be done; the message says what can."""


class CheckpointMismatch(InvalidRequest):
    def __init__(self, folder: str, differences: tuple[str, ...]) -> None:
        self.folder = folder
        self.differences = differences
        super().__init__(
            f"the training in {folder!r} was begun otherwise: {'; '.join(differences)}; give what it was begun with, "
            "or begin anew with another --out"
        )


class UnreadableImage(SightlineError):
    """These bytes cannot be used as a picture. The message is the reason alone; the caller knows the path."""


class UndecodableImage(UnreadableImage):
    """Not an image, damaged, truncated, or of a format that we cannot read."""


class ImageTooLarge(UnreadableImage):
    def __init__(self, *, what: str, actual: int, limit: int, remedy: str) -> None:
        self.actual = actual
        self.limit = limit
        super().__init__(f"{actual:,} {what} is over the limit of {limit:,}; {remedy}")


class BrokenInstallation(SightlineError):
    """Python packages that are missing or stand in each other's way; the message says what to run."""


class ModelError(SightlineError):
    """A model that is known but cannot be used."""


class WeightsNotFound(ModelError):
    def __init__(self, model: str, looked_in: list[str]) -> None:
        self.model = model
        self.looked_in = looked_in
        places = ", ".join(looked_in)
        super().__init__(
            f"the weights of {model!r} are not on this machine (looked in {places}) and could not be "
            "downloaded; connect to the network once, or use the built-in model with `--model mini`"
        )


class ModelLoadFailed(ModelError):
    def __init__(self, model: str, reason: str) -> None:
        self.model = model
        super().__init__(f"cannot load model {model!r}: {reason}")


class ModelTooLarge(ModelError):
    def __init__(self, model: str, reason: str) -> None:
        self.model = model
        super().__init__(
            f"model {model!r} does not fit into memory ({reason}); use `--batch-size 1`, `--precision bfloat16`, or a "
            "smaller model of `sightline models`"
        )


class TrainingError(SightlineError):
    """A training that was begun and cannot go on."""


class TrainingDiverged(TrainingError):
    def __init__(self, epoch: int, step: int, kept: str) -> None:
        self.epoch = epoch
        self.step = step
        super().__init__(
            f"the loss is not a number any more (epoch {epoch}, step {step}); {kept}; "
            "train with a lower --learning-rate or `--precision float32`"
        )


class TrainingTooLarge(TrainingError):
    def __init__(self, batch_size: int, reason: str) -> None:
        self.batch_size = batch_size
        super().__init__(
            f"training with batches of {batch_size} does not fit into memory ({reason}); use --chunk, --save-memory, "
            "a smaller --batch-size, or --train adapter"
        )


class CheckpointDamaged(TrainingError):
    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        super().__init__(f"cannot resume from {path!r}: {reason}; begin anew with another --out")


class CollectionError(SightlineError):
    """A collection that cannot be used as it is; `library` is its folder."""

    def __init__(self, library: str, message: str) -> None:
        self.library = library
        super().__init__(message)


class CollectionNotFound(CollectionError):
    def __init__(self, library: str) -> None:
        super().__init__(
            library, f"no collection in {library!r}; make one with `sightline index FOLDER --library {library}`"
        )


class ForeignCollection(CollectionError):
    def __init__(self, library: str, reason: str) -> None:
        super().__init__(
            library, f"{library!r} was not made by Sightline ({reason}); choose another folder with --library"
        )


class CollectionTooNew(CollectionError):
    def __init__(self, library: str, schema: str) -> None:
        self.schema = schema
        super().__init__(
            library,
            f"the collection in {library!r} has schema {schema!r}, which this Sightline does not know; "
            "a newer version made it: upgrade Sightline to open it",
        )


class CollectionDamaged(CollectionError):
    def __init__(self, library: str, reason: str) -> None:
        self.reason = reason
        super().__init__(
            library,
            f"the catalog in {library!r} cannot be read ({reason}); restore it from a backup, or index again "
            "into another folder with --library",
        )


class CollectionLocked(CollectionError):
    def __init__(self, library: str) -> None:
        super().__init__(
            library,
            f"another indexer is writing to the collection in {library!r}; wait for it to end, then run this again",
        )


class CollectionUnavailable(CollectionError):
    def __init__(self, library: str, reason: str) -> None:
        super().__init__(
            library,
            f"the collection in {library!r} cannot be used now ({reason}); "
            "check that its disk has space and its folder can be read and written, then run this again",
        )


class ModelReplaced(CollectionError):
    def __init__(self, library: str, model: str) -> None:
        self.model = model
        super().__init__(
            library,
            f"{model} does not answer the searches of the collection in {library!r} any more: another model was "
            "promoted; run the command again",
        )


class ModelMismatch(CollectionError):
    def __init__(self, library: str, *, field: str, stored: str, given: str, model: str) -> None:
        self.field, self.stored, self.given = field, stored, given
        remedies = {
            "model": f"use it with `--model {model}`, or make the other's embeddings with `sightline reindex --model "
            f"{given}`",
            "decode policy": "another version of Sightline made it: use that",
        }
        changed = f"{model!r} itself has changed since: `sightline reindex --model {model}` makes its embeddings anew"
        super().__init__(
            library,
            f"the collection in {library!r} was made with {field} {stored!r}, not {given!r}; "
            f"{remedies.get(field, changed)}",
        )
