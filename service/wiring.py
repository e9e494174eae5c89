"""The composition root: settings become keys, models and codebooks; nothing else makes them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

from nlp.codebook import read_codebook
from nlp.deid.cascade import Deidentifier, default_deidentifier
from nlp.deid.policy import Policy, read_policy
from nlp.encode import Encoder, bundled_folder, known_words
from nlp.encode_int8 import encoder_in
from nlp.errors import PolicyError
from nlp.findings.pack import fingerprint
from nlp.types import Codebook
from service.clock import now
from service.errors import KeyFileError, StudyError
from service.settings import Settings
from service.signing import Signer, signer_in
from service.study.study import LEAK_LIMIT, SUGGESTED_FROM, Study, create_study, open_study
from service.usecases.discover import codebook_in_use
from service.usecases.export_study import Copied, import_study
from service.usecases.lessons import Trust
from service.usecases.rotate import note_refused
from service.usecases.sharpen import Sharpener
from service.vault.keys import Key, create_key, read_key
from service.vault.sources import FromCommand, InEnvironment, InFile, KeySource, require_apart
from service.vault.store import Vault

StudyKey = Key
KeyOf = Callable[[Study], Key]
HERE = "heard"  # who is named in the record where the installation itself did something


@cache
def settings() -> Settings:
    """The settings, read once."""
    return Settings()


@cache
def encoder() -> Encoder:
    """The project's own matcher, plain MiniLM by HEARD_ENCODER=minilm, or the model that HEARD_ENCODER_FOLDER names."""
    kept = settings()
    return encoder_in(kept.encoder_folder, kept.export_folder, plain=kept.encoder == "minilm")


@cache
def plain_encoder() -> Encoder:
    """MiniLM as it comes, to compare with."""
    return encoder_in(None, settings().export_folder, plain=True)


def english_words() -> frozenset[str]:
    """A rough dictionary, to tell by how texts are spelt who is heard."""
    return known_words(bundled_folder())


@cache
def deidentifier() -> Deidentifier:
    """The cascade as shipped, with the governance officer's policy where there is one; PolicyError names its fault."""
    file = settings().policy_file
    return default_deidentifier(None if file is None else _policy_in(file))


def _policy_in(file: Path) -> Policy:
    try:
        return read_policy(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError):
        raise PolicyError("the file that HEARD_POLICY_FILE names cannot be read") from None


def trust() -> Trust:
    """How much each kind of decision teaches, as the settings have it."""
    kept = settings()
    return Trust(kept.learn_blind, kept.learn_shown, kept.learn_left_alone)


def may_share() -> bool:
    """Whether governance allows lessons with vectors to leave a study."""
    return settings().share_lessons == "vectors"


def sharpener(study: Study, codebook: Codebook) -> Sharpener:
    """What makes a review's suggestions anew after each decision."""
    return Sharpener(study, codebook, encoder(), trust())


def codebook_named(name: str) -> Codebook:
    """A codebook by the name of its folder, or by the path of its file or folder; CodebookError if unreadable."""
    path = Path(name)
    return read_codebook(path if path.exists() else settings().codebooks / name)


def codebook_in_folder(name: str) -> Codebook:
    """A codebook that is installed here, by its folder's name alone; CodebookError if unreadable."""
    return read_codebook(settings().codebooks / name)


def codebook_of(study: Study) -> Codebook:
    """The codebook that a study codes with: its own newest version, or its file where that is newer."""
    held = settings().codebooks / study.codebook
    return codebook_in_use(study, codebook_named(study.codebook) if held.exists() else None)


def make_study(
    folder: Path,
    *,
    title: str,
    codebook: str,
    now: str,
    fictional: bool = False,
    leak_limit: float = LEAK_LIMIT,
    threshold: float = SUGGESTED_FROM,
    settings: Settings,
) -> tuple[Study, Key]:
    """A new study with its key and its empty, sealed vault; StudyError if the folder has one."""
    return new_study(
        folder, codebook_named(codebook).id, title=title, now=now, fictional=fictional, leak_limit=leak_limit,
        threshold=threshold, settings=settings,
    )  # fmt: skip


def new_study(
    folder: Path, codebook: str, *, title: str, now: str, settings: Settings, fictional: bool = False,
    leak_limit: float = LEAK_LIMIT, threshold: float = SUGGESTED_FROM,
) -> tuple[Study, Key]:  # fmt: skip
    """A new study for the codebook of an id, which may still have to come in."""
    _require_apart(settings, folder)
    if settings.key or settings.key_command or (settings.key_file and settings.key_file.exists()):
        key_source(settings, "").read()  # a damaged key is refused before anything is made
    study = create_study(
        folder, title=title, codebook=codebook, now=now, fictional=fictional, leak_limit=leak_limit, threshold=threshold
    )
    key = _own_key(study.id, settings)
    Vault(study.vault_file, key, study.id).close()
    return study, key


def _require_apart(settings: Settings, folder: Path, study_id: str = "any") -> None:
    """KeyFileError where the key of a study in that folder would lie beside it and nobody has allowed that."""
    source = key_source(settings, study_id)
    if isinstance(source, InFile) and not settings.allow_key_beside_study:
        require_apart(source.file, folder)


def _own_key(study_id: str, settings: Settings) -> Key:
    """The key of a study that is being made, made itself where it lies in a file that is not there yet."""
    source = key_source(settings, study_id)
    if isinstance(source, InFile) and not source.file.exists():
        return create_key(source.file)
    return source.read()


def bring_in_study(
    source: Path, folder: Path, *, person: str, now: str, settings: Settings
) -> tuple[Study, Copied, bool]:
    """A study as it was exported elsewhere, and whether its vault can be opened here; without a vault it gets an empty one."""
    _require_apart(settings, folder)
    study, done = import_study(source, folder, person=person, now=now)
    kept = key_source(settings, study.id)
    if study.vault_file.exists() and isinstance(kept, InFile) and not kept.file.exists():
        return study, done, False
    Vault(study.vault_file, _own_key(study.id, settings), study.id).close()
    return study, done, True


def key_source(settings: Settings, study_id: str) -> KeySource:
    """Where the key ring of a study comes from, as the settings have it."""
    if settings.key:
        return InEnvironment(settings.key.get_secret_value())
    if settings.key_command:
        return FromCommand(settings.key_command, study_id)
    return InFile(settings.key_file_for(study_id))


def key_source_of(study: Study, settings: Settings) -> KeySource:
    """The same for a study that is there; KeyFileError where its key lies beside it and nobody has allowed that."""
    _require_apart(settings, study.folder, study.id)
    return key_source(settings, study.id)


def backup_key(study: Study, settings: Settings, backup: Path) -> Key:
    """What a study's backups are sealed under: the ring of HEARD_BACKUP_KEY_FILE, made on first use, else the study's own.

    KeyFileError where that key would lie beside the study or the backup.
    """
    source = key_source_of(study, settings)
    file = settings.backup_key_file or (source.file if isinstance(source, InFile) else None)
    if file is not None and not settings.allow_key_beside_study:
        require_apart(file, study.folder)
        require_apart(file, backup)
    if settings.backup_key_file is None:
        return source.read()
    return (
        read_key(settings.backup_key_file)
        if settings.backup_key_file.exists()
        else create_key(settings.backup_key_file)
    )


def rings_for(study_id: str, settings: Settings, folder: Path | None) -> tuple[Key, list[Key]]:
    """The ring of a study that may not be here yet, and all that may open its backups. `folder` is where it will lie."""
    if folder is not None:
        _require_apart(settings, folder, study_id)
    key = key_source(settings, study_id).read()
    return key, [key, *([read_key(settings.backup_key_file)] if settings.backup_key_file else [])]


def keys_by(settings: Settings) -> KeyOf:
    """What finds studies' keys where these settings have them."""
    return lambda study: _tried(study, settings)


def key_of(study: Study) -> Key:
    """The study's key; KeyFileError when it is missing or damaged, or is not the vault's. A refusal is recorded."""
    return _tried(study, settings())


def _tried(study: Study, settings: Settings) -> Key:
    try:
        key = key_source_of(study, settings).read()
        Vault(study.vault_file, key, study.id).close()
    except KeyFileError as refused:
        note_refused(study, refused, by=HERE, now=now())
        raise
    return key


def webhook_secret(study: Study, webhook_id: str) -> str:
    """What a webhook's deliveries are signed with: worked out from the study's key, and stored nowhere."""
    return "whsec_" + key_of(study).derive(f"webhook/{study.id}/{webhook_id}").hex()


def signer() -> Signer:
    """What signs the packs of whoever runs this Heard; its key pair is made on first use."""
    return signer_in(settings().signing_key_file)


def key_words(signs: Signer) -> str:
    """A key's fingerprint, to be read aloud."""
    return fingerprint(signs.public)


def study_in(folder: Path) -> Study:
    """The study in a folder, open; StudyError when there is none."""
    return open_study(folder)


def sample_corpora() -> Path:
    """The fictional corpora of the demo; StudyError where they are not installed."""
    folder = Path(__file__).resolve().parent.parent / "corpora_sample"
    if not folder.is_dir():
        raise StudyError("the sample corpora are not here; run the demo from a copy of the repository")
    return folder
