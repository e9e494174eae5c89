"""The shape of study.db. A migration, once released, is never edited; add the next one."""

from __future__ import annotations

from pathlib import Path

from sqlite_utils import Database, Migrations

from service.errors import RecordError
from service.study import chain

migrations = Migrations("study")

_APPEND_ONLY = (
    "suggestions",
    "decisions",
    "audit",
    "runs",
    "codebooks",
    "clean_texts",
    "redactions",
    "draws",
    "frames",
)


def migrate(db: Database, path: Path) -> None:
    """Bring a database to the newest shape, after a backup when it holds an older one."""
    if not migrations.pending(db):
        return
    if migrations.applied(db):
        backup = path.with_suffix(".before-migration.db")
        backup.unlink(missing_ok=True)
        db.conn.execute("VACUUM INTO ?", [str(backup)])
    db.conn.execute("PRAGMA foreign_keys = OFF")  # a table that others point to can only be made anew without
    migrations.apply(db)
    if db.conn.execute("PRAGMA foreign_key_check").fetchone() is not None:
        raise RecordError("after the change of shape, records point to nothing; the backup beside the study is whole")
    db.conn.execute("PRAGMA foreign_keys = ON")
    chain.keep_head(db, chain.head_file(path))


@migrations()
def m001_initial(db: Database) -> None:
    """Everything from voices to decisions; codings are a view. One statement at a time: a script would commit."""
    _run(db, _INITIAL)
    for table in _APPEND_ONLY:
        _append_only(db, table)


@migrations()
def m002_checked(db: Database) -> None:
    """Checks of de-identification: doubts, what people found, fixes that keep codings, who accepted which risk."""
    _run(db, _CHECKED)


@migrations()
def m003_vectors(db: Database) -> None:
    """The vectors that a model gave texts, so that each is encoded once."""
    _run(db, _VECTORS)


@migrations()
def m004_learnt(db: Database) -> None:
    """Suggestions that learn: bulk acceptances are marked, and a suggestion says what else speaks for and against it."""
    _run(db, _LEARNT)


@migrations()
def m005_rounds_and_candidates(db: Database) -> None:
    """Counting rounds by text; candidate themes and what people did with them; lessons borrowed from other studies."""
    _run(db, _ROUNDS_AND_CANDIDATES)
    for table in ("discoveries", "candidates", "candidate_acts"):
        _append_only(db, table)


@migrations()
def m006_review_room(db: Database) -> None:
    """Several coders: who reads what, leases, adjudications; memos, flags, drafts of codebooks, search in words."""
    _run(db, _REVIEW_ROOM)
    for table in ("assignments", "round_ends", "adjudications", "flags", "flag_ends", "saves"):
        _append_only(db, table)


@migrations()
def m007_jobs(db: Database) -> None:
    """Long work as rows: it survives a kill and is done once."""
    _run(db, _JOBS)


@migrations()
def m008_codebook_changes(db: Database) -> None:
    """Versions of the codebook that were published here: what became of which code, and what is read again for it."""
    _run(db, _CODEBOOK_CHANGES)
    for table in ("publications", "code_changes", "recodes"):
        _append_only(db, table)


@migrations()
def m009_indicators(db: Database) -> None:
    """Published values, each with its file, place, period and quality."""
    _run(db, _INDICATORS)


@migrations()
def m010_candidate_acts(db: Database) -> None:
    """What was done with a candidate theme may be undone by a later act; a candidate may go into a code that is there."""
    _run(db, _CANDIDATE_ACTS)
    _append_only(db, "candidate_acts")


@migrations()
def m011_webhooks(db: Database) -> None:
    """Who is told of what happens; each event is stored with what it tells of, or not at all, by triggers."""
    _run(db, _WEBHOOKS)
    for name, when, content, at in _EVENTS:
        db.conn.execute(
            f"CREATE TRIGGER told_{name.replace('.', '_')} AFTER {when} BEGIN"
            " INSERT INTO deliveries (webhook, event, content, asked_at)"
            f" SELECT w.id, '{name}', json_object('study', (SELECT id FROM study), {content}), {at} FROM webhooks w"
            f" WHERE w.ended_at = '' AND EXISTS (SELECT 1 FROM json_each(w.events) e WHERE e.value = '{name}'); END"
        )


@migrations()
def m012_queue(db: Database) -> None:
    """Indexes for the reading queue: a unit's voices, and what one coder did in a round."""
    _run(db, _QUEUE)


@migrations()
def m013_joint_display(db: Database) -> None:
    """Versions of links, judgements of fit, who will see a finding and what will change."""
    _run(db, _JOINT_DISPLAY)
    for table in ("link_versions", "judgements", "promises"):
        _append_only(db, table)


@migrations()
def m014_taken_back(db: Database) -> None:
    """Checks can be taken back, with all that they changed; ends of flags have a note."""
    _run(db, _TAKEN_BACK)
    for table in ("check_edits", "check_undos", "restored"):
        _append_only(db, table)


@migrations()
def m015_packs(db: Database) -> None:
    """Packs of other councils; the ledger of counts that left, and who was counted, by a number that can be let go."""
    _run(db, _PACKS)
    _append_only(db, "count_releases")


@migrations()
def m016_chain(db: Database) -> None:
    """What was done, and every decision, in a chain of hashes: those that are there already, then each new one."""
    db.conn.execute(chain.TABLE)
    chain.chain_old(db.conn, chain.SOURCES)
    for table in chain.SOURCES:
        db.conn.execute(chain.trigger(table))
    _append_only(db, "chain")


@migrations()
def m017_corrected(db: Database) -> None:
    """Files that correct records: which version has a record's new words, and what could not be kept because of it."""
    _run(db, _CORRECTED)
    for table in ("corrections", "unkept", "rereads"):
        _append_only(db, table)


@migrations()
def m018_withdrawals(db: Database) -> None:
    """Who has withdrawn, and what was done."""
    _run(db, _WITHDRAWALS)
    _append_only(db, "withdrawals")


@migrations()
def m019_bulk(db: Database) -> None:
    """Suggestions accepted many at a time, with what held back from it is read; whoever reads one of them decides anew."""
    _run(db, _BULK)
    for table in ("bulk_acts", "bulk_ends"):
        _append_only(db, table)


@migrations()
def m020_passports(db: Database) -> None:
    """Why a study's voices may be held, and what may leave it."""
    _run(db, _PASSPORTS)
    _append_only(db, "passports")


@migrations()
def m025_glass(db: Database) -> None:
    """Requests to see original words, what a second person answered, and their ends."""
    _run(db, _GLASS)
    for table in ("glass_asks", "glass_answers", "glass_ends"):
        _append_only(db, table)


@migrations()
def m027_quotations(db: Database) -> None:
    """Quotations that somebody asked to release, and what a release officer decided."""
    _run(db, _QUOTATIONS)
    for table in ("quotations", "quotation_rulings"):
        _append_only(db, table)


@migrations()
def m024_protocols(db: Database) -> None:
    """The local safeguarding protocol, each version."""
    _run(db, _PROTOCOLS)
    _append_only(db, "protocols")


def _append_only(db: Database, table: str) -> None:
    for act in ("UPDATE", "DELETE"):
        db.conn.execute(
            f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, 'append-only: {table} are never changed or removed'); END"
        )


def _run(db: Database, statements: str) -> None:
    for statement in statements.split(";\n\n"):
        if statement.strip():
            db.conn.execute(statement)


_INITIAL = """
CREATE TABLE study (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, codebook TEXT NOT NULL, fictional INTEGER NOT NULL,
    created_at TEXT NOT NULL
) STRICT;

CREATE TABLE runs (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, method TEXT NOT NULL, model TEXT NOT NULL,
    codebook TEXT NOT NULL, codebook_version TEXT NOT NULL, input_hash TEXT NOT NULL,
    counts TEXT NOT NULL, started_at TEXT NOT NULL, finished_at TEXT NOT NULL
) STRICT;

CREATE TABLE audit (
    seq INTEGER PRIMARY KEY, at TEXT NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
    subject TEXT NOT NULL, counts TEXT NOT NULL
) STRICT;

CREATE TABLE participants (id TEXT PRIMARY KEY) STRICT;

CREATE TABLE voices (
    id TEXT PRIMARY KEY, participant TEXT NOT NULL REFERENCES participants(id),
    voice TEXT NOT NULL, via TEXT NOT NULL, provenance TEXT NOT NULL, consent TEXT NOT NULL,
    question TEXT NOT NULL, age_band TEXT NOT NULL, area TEXT NOT NULL, period TEXT NOT NULL,
    attributes TEXT NOT NULL, intake TEXT NOT NULL REFERENCES runs(id), position INTEGER NOT NULL,
    digest TEXT NOT NULL
) STRICT;

CREATE INDEX voices_participant ON voices(participant);

CREATE TABLE clean_texts (
    voice TEXT NOT NULL REFERENCES voices(id), version INTEGER NOT NULL, text TEXT NOT NULL,
    run TEXT NOT NULL REFERENCES runs(id), PRIMARY KEY (voice, version)
) STRICT;

CREATE TABLE redactions (
    voice TEXT NOT NULL, version INTEGER NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
    label TEXT NOT NULL, score REAL NOT NULL, detector TEXT NOT NULL, why TEXT NOT NULL,
    FOREIGN KEY (voice, version) REFERENCES clean_texts(voice, version)
) STRICT;

CREATE INDEX redactions_voice ON redactions(voice, version);

CREATE TABLE segments (
    id TEXT PRIMARY KEY, voice TEXT NOT NULL, version INTEGER NOT NULL, position INTEGER NOT NULL,
    start INTEGER NOT NULL, "end" INTEGER NOT NULL,
    FOREIGN KEY (voice, version) REFERENCES clean_texts(voice, version),
    UNIQUE (voice, version, position)
) STRICT;

CREATE TABLE codebooks (
    id TEXT NOT NULL, version TEXT NOT NULL, fingerprint TEXT NOT NULL, content TEXT NOT NULL,
    loaded_at TEXT NOT NULL, PRIMARY KEY (id, version)
) STRICT;

CREATE TABLE matched (
    segment TEXT NOT NULL REFERENCES segments(id), run TEXT NOT NULL, reading TEXT NOT NULL,
    PRIMARY KEY (segment, reading)
) STRICT;

CREATE TABLE suggestions (
    id INTEGER PRIMARY KEY, run TEXT NOT NULL, reading TEXT NOT NULL,
    segment TEXT NOT NULL REFERENCES segments(id), code TEXT NOT NULL, probability REAL NOT NULL,
    band TEXT NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL, quote TEXT NOT NULL,
    nearest TEXT NOT NULL, codebook TEXT NOT NULL, codebook_version TEXT NOT NULL,
    method TEXT NOT NULL, model TEXT NOT NULL, UNIQUE (segment, code, reading)
) STRICT;

CREATE TABLE rounds (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL CHECK (kind IN ('review', 'counting')),
    unit TEXT NOT NULL CHECK (unit IN ('participant', 'segment')), seed INTEGER NOT NULL,
    codebook TEXT NOT NULL, codebook_version TEXT NOT NULL, created_at TEXT NOT NULL
) STRICT;

CREATE TABLE draws (
    round TEXT NOT NULL REFERENCES rounds(id), position INTEGER NOT NULL, unit TEXT NOT NULL,
    stream TEXT NOT NULL, probability REAL NOT NULL CHECK (probability > 0 AND probability <= 1),
    drawn_at TEXT NOT NULL, PRIMARY KEY (round, position), UNIQUE (round, unit)
) STRICT;

CREATE TABLE frames (
    round TEXT NOT NULL REFERENCES rounds(id), unit TEXT NOT NULL, voice TEXT NOT NULL REFERENCES voices(id),
    PRIMARY KEY (round, voice)
) STRICT;

CREATE TABLE current_reading (
    id INTEGER PRIMARY KEY CHECK (id = 1), reading TEXT NOT NULL, codebook TEXT NOT NULL, codebook_version TEXT NOT NULL
) STRICT;

CREATE TABLE decisions (
    seq INTEGER PRIMARY KEY, segment TEXT NOT NULL REFERENCES segments(id),
    action TEXT NOT NULL CHECK (action IN ('accept', 'reject', 'add', 'change', 'skip', 'close', 'undo')),
    code TEXT NOT NULL, stance TEXT NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
    suggestion INTEGER REFERENCES suggestions(id), undoes INTEGER REFERENCES decisions(seq),
    coder TEXT NOT NULL, at TEXT NOT NULL, seconds REAL NOT NULL,
    shown INTEGER NOT NULL CHECK (shown IN (0, 1)), round TEXT NOT NULL REFERENCES rounds(id),
    stream TEXT NOT NULL, probability REAL NOT NULL, codebook TEXT NOT NULL, codebook_version TEXT NOT NULL,
    model TEXT NOT NULL
) STRICT;

CREATE INDEX decisions_segment ON decisions(segment, coder);

CREATE TABLE figures (
    link TEXT PRIMARY KEY, content TEXT NOT NULL, loaded_at TEXT NOT NULL
) STRICT;

CREATE VIEW standing AS
    SELECT * FROM decisions d
    WHERE d.action <> 'undo' AND NOT EXISTS (SELECT 1 FROM decisions u WHERE u.undoes = d.seq);

CREATE VIEW codings AS
    SELECT segment, code, stance, start, "end", coder, at, round, shown, codebook_version, seq
    FROM (
        SELECT s.*, row_number() OVER (PARTITION BY segment, code, coder, round ORDER BY seq DESC) AS newest
        FROM standing s WHERE s.action IN ('accept', 'add', 'change', 'reject')
    )
    WHERE newest = 1 AND action <> 'reject'
"""

# A fix removes words that were left by mistake from older versions and from quotes; nothing else may change there.
_CHECKED = """
ALTER TABLE study ADD COLUMN leak_limit REAL NOT NULL DEFAULT 50;

ALTER TABLE clean_texts ADD COLUMN held TEXT NOT NULL DEFAULT '';

ALTER TABLE clean_texts ADD COLUMN expected_leaks REAL NOT NULL DEFAULT 0;

CREATE TABLE doubts (
    voice TEXT NOT NULL, version INTEGER NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
    label TEXT NOT NULL, score REAL NOT NULL, why TEXT NOT NULL,
    FOREIGN KEY (voice, version) REFERENCES clean_texts(voice, version)
) STRICT;

CREATE INDEX doubts_voice ON doubts(voice, version);

CREATE TABLE checks (
    seq INTEGER PRIMARY KEY, voice TEXT NOT NULL REFERENCES voices(id), version INTEGER NOT NULL,
    part TEXT NOT NULL CHECK (part IN ('sample', 'unsure', 'language')), start INTEGER NOT NULL, "end" INTEGER NOT NULL,
    missed INTEGER NOT NULL, rejected INTEGER NOT NULL, checker TEXT NOT NULL, at TEXT NOT NULL
) STRICT;

CREATE TABLE acceptances (
    seq INTEGER PRIMARY KEY, person TEXT NOT NULL, reason TEXT NOT NULL, read INTEGER NOT NULL, upper REAL NOT NULL,
    leak_limit REAL NOT NULL, at TEXT NOT NULL
) STRICT;

CREATE TABLE moved (
    decision INTEGER NOT NULL REFERENCES decisions(seq), version INTEGER NOT NULL, start INTEGER NOT NULL,
    "end" INTEGER NOT NULL, PRIMARY KEY (decision, version)
) STRICT;

CREATE TRIGGER checks_no_update BEFORE UPDATE ON checks
BEGIN SELECT RAISE(ABORT, 'append-only: checks are never changed or removed'); END;

CREATE TRIGGER checks_no_delete BEFORE DELETE ON checks
BEGIN SELECT RAISE(ABORT, 'append-only: checks are never changed or removed'); END;

CREATE TRIGGER acceptances_no_update BEFORE UPDATE ON acceptances
BEGIN SELECT RAISE(ABORT, 'append-only: acceptances are never changed or removed'); END;

CREATE TRIGGER acceptances_no_delete BEFORE DELETE ON acceptances
BEGIN SELECT RAISE(ABORT, 'append-only: acceptances are never changed or removed'); END;

DROP TRIGGER clean_texts_no_update;

CREATE TRIGGER clean_texts_no_update BEFORE UPDATE ON clean_texts
WHEN NEW.voice <> OLD.voice OR NEW.version <> OLD.version OR NEW.run <> OLD.run OR NEW.text NOT IN (OLD.text, '')
BEGIN SELECT RAISE(ABORT, 'append-only: clean_texts are never changed or removed'); END;

DROP TRIGGER suggestions_no_update;

CREATE TRIGGER suggestions_no_update
BEFORE UPDATE OF id, run, reading, segment, code, probability, band, nearest, codebook, codebook_version, method, model
ON suggestions BEGIN SELECT RAISE(ABORT, 'append-only: suggestions are never changed or removed'); END;

DROP VIEW codings;

DROP VIEW standing;

CREATE VIEW standing AS
    SELECT d.seq, d.segment, d.action, d.code, d.stance, coalesce(m.start, d.start) AS start,
        coalesce(m."end", d."end") AS "end", d.suggestion, d.undoes, d.coder, d.at, d.seconds, d.shown, d.round,
        d.stream, d.probability, d.codebook, d.codebook_version, d.model
    FROM decisions d
    LEFT JOIN moved m ON m.decision = d.seq AND m.version = (SELECT max(version) FROM moved n WHERE n.decision = d.seq)
    WHERE d.action <> 'undo' AND NOT EXISTS (SELECT 1 FROM decisions u WHERE u.undoes = d.seq);

CREATE VIEW codings AS
    SELECT segment, code, stance, start, "end", coder, at, round, shown, codebook_version, seq
    FROM (
        SELECT s.*, row_number() OVER (PARTITION BY segment, code, coder, round ORDER BY seq DESC) AS newest
        FROM standing s WHERE s.action IN ('accept', 'add', 'change', 'reject')
    )
    WHERE newest = 1 AND action <> 'reject'
"""

_VECTORS = """
CREATE TABLE vectors (key BLOB PRIMARY KEY, model TEXT NOT NULL, vector BLOB NOT NULL) STRICT, WITHOUT ROWID
"""

_LEARNT = """
ALTER TABLE study ADD COLUMN threshold REAL NOT NULL DEFAULT 0.2;

ALTER TABLE decisions ADD COLUMN bulk INTEGER NOT NULL DEFAULT 0 CHECK (bulk IN (0, 1));

ALTER TABLE suggestions ADD COLUMN nearest_segment TEXT NOT NULL DEFAULT '';

ALTER TABLE suggestions ADD COLUMN against TEXT NOT NULL DEFAULT '';

ALTER TABLE suggestions ADD COLUMN calibrated_on INTEGER NOT NULL DEFAULT 0;

DROP TRIGGER suggestions_no_update;

CREATE TRIGGER suggestions_no_update
BEFORE UPDATE OF id, run, reading, segment, code, probability, band, nearest, codebook, codebook_version, method, model,
nearest_segment, against, calibrated_on
ON suggestions BEGIN SELECT RAISE(ABORT, 'append-only: suggestions are never changed or removed'); END;

DROP VIEW codings;

DROP VIEW standing;

CREATE VIEW standing AS
    SELECT d.seq, d.segment, d.action, d.code, d.stance, coalesce(m.start, d.start) AS start,
        coalesce(m."end", d."end") AS "end", d.suggestion, d.undoes, d.coder, d.at, d.seconds, d.shown, d.round,
        d.stream, d.probability, d.codebook, d.codebook_version, d.model, d.bulk
    FROM decisions d
    LEFT JOIN moved m ON m.decision = d.seq AND m.version = (SELECT max(version) FROM moved n WHERE n.decision = d.seq)
    WHERE d.action <> 'undo' AND NOT EXISTS (SELECT 1 FROM decisions u WHERE u.undoes = d.seq);

CREATE VIEW codings AS
    SELECT segment, code, stance, start, "end", coder, at, round, shown, codebook_version, seq
    FROM (
        SELECT s.*, row_number() OVER (PARTITION BY segment, code, coder, round ORDER BY seq DESC) AS newest
        FROM standing s WHERE s.action IN ('accept', 'add', 'change', 'reject')
    )
    WHERE newest = 1 AND action <> 'reject'
"""

_ROUNDS_AND_CANDIDATES = """
CREATE TABLE rounds_by_unit (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL CHECK (kind IN ('review', 'counting')),
    unit TEXT NOT NULL CHECK (unit IN ('participant', 'voice', 'segment')), seed INTEGER NOT NULL,
    codebook TEXT NOT NULL, codebook_version TEXT NOT NULL, created_at TEXT NOT NULL
) STRICT;

INSERT INTO rounds_by_unit SELECT * FROM rounds ORDER BY rowid;

DROP TABLE rounds;

ALTER TABLE rounds_by_unit RENAME TO rounds;

CREATE TABLE borrowed (
    name TEXT PRIMARY KEY, content BLOB NOT NULL, by TEXT NOT NULL, at TEXT NOT NULL
) STRICT;

CREATE TABLE discoveries (
    id TEXT PRIMARY KEY, how TEXT NOT NULL, seed INTEGER NOT NULL, leftovers INTEGER NOT NULL, unplaced INTEGER NOT NULL,
    codebook TEXT NOT NULL, codebook_version TEXT NOT NULL, model TEXT NOT NULL, at TEXT NOT NULL
) STRICT;

CREATE TABLE candidates (
    id INTEGER PRIMARY KEY, discovery TEXT NOT NULL REFERENCES discoveries(id), keywords TEXT NOT NULL,
    members TEXT NOT NULL, central TEXT NOT NULL, people INTEGER NOT NULL, voices TEXT NOT NULL, places TEXT NOT NULL,
    stability REAL, nearest TEXT NOT NULL, came_from TEXT NOT NULL
) STRICT;

CREATE TABLE candidate_acts (
    seq INTEGER PRIMARY KEY, candidate INTEGER NOT NULL REFERENCES candidates(id),
    act TEXT NOT NULL CHECK (act IN ('adopt', 'merge', 'split', 'dismiss')), by TEXT NOT NULL, at TEXT NOT NULL,
    code TEXT NOT NULL, codebook_version TEXT NOT NULL, note TEXT NOT NULL, UNIQUE (candidate)
) STRICT
"""

_REVIEW_ROOM = """
CREATE TABLE plans (
    round TEXT PRIMARY KEY REFERENCES rounds(id), coders TEXT NOT NULL, twice REAL NOT NULL CHECK (twice BETWEEN 0 AND 1),
    by TEXT NOT NULL, at TEXT NOT NULL
) STRICT;

CREATE TABLE assignments (
    round TEXT NOT NULL, position INTEGER NOT NULL, coder TEXT NOT NULL,
    PRIMARY KEY (round, position, coder), FOREIGN KEY (round, position) REFERENCES draws(round, position)
) STRICT;

CREATE TABLE leases (
    round TEXT NOT NULL, position INTEGER NOT NULL, coder TEXT NOT NULL, until TEXT NOT NULL,
    PRIMARY KEY (round, position)
) STRICT;

CREATE TABLE round_ends (
    round TEXT PRIMARY KEY REFERENCES rounds(id), by TEXT NOT NULL, at TEXT NOT NULL
) STRICT;

CREATE TABLE saves (
    token TEXT PRIMARY KEY, coder TEXT NOT NULL, round TEXT NOT NULL, segment TEXT NOT NULL, decisions TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT;

CREATE TABLE adjudications (
    seq INTEGER PRIMARY KEY, round TEXT NOT NULL REFERENCES rounds(id), segment TEXT NOT NULL REFERENCES segments(id),
    code TEXT NOT NULL, given INTEGER NOT NULL CHECK (given IN (0, 1)), stance TEXT NOT NULL, start INTEGER NOT NULL,
    "end" INTEGER NOT NULL, reason TEXT NOT NULL, considered TEXT NOT NULL, by TEXT NOT NULL, at TEXT NOT NULL,
    codebook_version TEXT NOT NULL
) STRICT;

CREATE INDEX adjudications_segment ON adjudications(segment);

CREATE TABLE memos (
    id INTEGER PRIMARY KEY, object TEXT NOT NULL CHECK (object IN ('study', 'voice', 'segment', 'code', 'round', 'candidate')),
    subject TEXT NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('note', 'question', 'idea', 'decision', 'reflection')),
    words TEXT NOT NULL, by TEXT NOT NULL, at TEXT NOT NULL, changed_at TEXT NOT NULL, version INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE INDEX memos_subject ON memos(object, subject);

CREATE TABLE flags (
    seq INTEGER PRIMARY KEY, segment TEXT NOT NULL REFERENCES segments(id),
    kind TEXT NOT NULL CHECK (kind IN ('discuss', 'disclosure')), by TEXT NOT NULL, at TEXT NOT NULL
) STRICT;

CREATE TABLE flag_ends (
    flag INTEGER PRIMARY KEY REFERENCES flags(seq), by TEXT NOT NULL, at TEXT NOT NULL
) STRICT;

CREATE TABLE drafts (
    codebook TEXT PRIMARY KEY, based_on TEXT NOT NULL, content TEXT NOT NULL, version INTEGER NOT NULL, by TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT;

CREATE INDEX decisions_round ON decisions(round, segment, coder);

CREATE INDEX decisions_undoes ON decisions(undoes) WHERE undoes IS NOT NULL;

CREATE INDEX decisions_code ON decisions(code, segment) WHERE code <> '';

CREATE INDEX frames_voice ON frames(voice);

CREATE INDEX draws_unit ON draws(unit);

CREATE TABLE worded (id INTEGER PRIMARY KEY, voice TEXT NOT NULL UNIQUE) STRICT;

CREATE VIRTUAL TABLE words USING fts5(text, tokenize = "unicode61 remove_diacritics 2");

CREATE TRIGGER words_of_new_text AFTER INSERT ON clean_texts BEGIN
    INSERT OR IGNORE INTO worded (voice) VALUES (NEW.voice);
    DELETE FROM words WHERE rowid = (SELECT id FROM worded WHERE voice = NEW.voice);
    INSERT INTO words (rowid, text) SELECT id, NEW.text FROM worded WHERE voice = NEW.voice AND NEW.held = '';
END;

CREATE TRIGGER words_of_seen_text AFTER UPDATE OF held ON clean_texts
WHEN NEW.held = '' AND OLD.held <> '' AND NEW.version = (SELECT max(version) FROM clean_texts WHERE voice = NEW.voice) BEGIN
    DELETE FROM words WHERE rowid = (SELECT id FROM worded WHERE voice = NEW.voice);
    INSERT INTO words (rowid, text) SELECT id, NEW.text FROM worded WHERE voice = NEW.voice;
END;

INSERT INTO worded (voice) SELECT DISTINCT voice FROM clean_texts;

INSERT INTO words (rowid, text)
    SELECT w.id, c.text FROM worded w JOIN clean_texts c ON c.voice = w.voice
    WHERE c.held = '' AND c.version = (SELECT max(version) FROM clean_texts n WHERE n.voice = c.voice);

CREATE VIEW blind_codings AS
    SELECT segment, code, stance, start, "end", coder, at, round, shown, codebook_version, seq
    FROM (
        SELECT s.*, row_number() OVER (PARTITION BY segment, code, coder, round ORDER BY seq DESC) AS newest
        FROM standing s WHERE s.action IN ('accept', 'add', 'change', 'reject') AND s.shown = 0
    )
    WHERE newest = 1 AND action <> 'reject';

CREATE VIEW finished AS
    SELECT DISTINCT round, segment, coder FROM standing WHERE action IN ('close', 'skip')
"""

_JOBS = """
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, request TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done', 'failed', 'cancelled')),
    attempts INTEGER NOT NULL DEFAULT 0, done INTEGER NOT NULL DEFAULT 0, total INTEGER NOT NULL DEFAULT 0,
    result TEXT NOT NULL DEFAULT '{}', problem TEXT NOT NULL DEFAULT '', by TEXT NOT NULL, asked_at TEXT NOT NULL,
    began_at TEXT NOT NULL DEFAULT '', ended_at TEXT NOT NULL DEFAULT '', worker TEXT NOT NULL DEFAULT '',
    lease_until TEXT NOT NULL DEFAULT '', token TEXT UNIQUE
) STRICT;

CREATE INDEX jobs_state ON jobs(state, id)
"""

_CODEBOOK_CHANGES = """
CREATE TABLE publications (
    codebook TEXT NOT NULL, version TEXT NOT NULL, based_on TEXT NOT NULL, groups TEXT NOT NULL, round TEXT NOT NULL,
    by TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (codebook, version),
    FOREIGN KEY (codebook, version) REFERENCES codebooks(id, version)
) STRICT;

CREATE TABLE code_changes (
    version TEXT NOT NULL, code TEXT NOT NULL,
    turn TEXT NOT NULL CHECK (turn IN ('split', 'merge', 'retire', 'redefine', 'reword', 'reread')),
    into_codes TEXT NOT NULL, why TEXT NOT NULL, same_meaning INTEGER NOT NULL CHECK (same_meaning IN (0, 1)),
    of_version TEXT NOT NULL, by TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (version, code, turn, of_version)
) STRICT;

CREATE TABLE recodes (
    round TEXT NOT NULL REFERENCES rounds(id), segment TEXT NOT NULL REFERENCES segments(id), code TEXT NOT NULL,
    why TEXT NOT NULL, PRIMARY KEY (round, segment, code)
) STRICT;

CREATE TABLE counts_as (
    version TEXT NOT NULL, code TEXT NOT NULL, now TEXT NOT NULL, PRIMARY KEY (version, code)
) STRICT, WITHOUT ROWID
"""

_INDICATORS = """
CREATE TABLE indicator_files (
    seq INTEGER PRIMARY KEY, file TEXT NOT NULL, kind TEXT NOT NULL, sha256 TEXT NOT NULL UNIQUE, publisher TEXT NOT NULL,
    licence TEXT NOT NULL, url TEXT NOT NULL, retrieved_on TEXT NOT NULL, by TEXT NOT NULL, at TEXT NOT NULL
) STRICT;

CREATE TABLE indicator_values (
    file INTEGER NOT NULL REFERENCES indicator_files(seq), row INTEGER NOT NULL, indicator TEXT NOT NULL,
    place TEXT NOT NULL, period TEXT NOT NULL, period_order INTEGER NOT NULL, filters TEXT NOT NULL, value REAL,
    content TEXT NOT NULL, PRIMARY KEY (file, row, indicator, period)
) STRICT;

CREATE INDEX indicator_values_indicator ON indicator_values(indicator, place)
"""

_CANDIDATE_ACTS = """
CREATE TABLE candidate_acts_anew (
    seq INTEGER PRIMARY KEY, candidate INTEGER NOT NULL REFERENCES candidates(id),
    act TEXT NOT NULL CHECK (act IN ('adopt', 'join', 'merge', 'split', 'dismiss', 'undo')), by TEXT NOT NULL, at TEXT NOT NULL,
    code TEXT NOT NULL, codebook_version TEXT NOT NULL, note TEXT NOT NULL
) STRICT;

INSERT INTO candidate_acts_anew SELECT seq, candidate, act, by, at, code, codebook_version, note FROM candidate_acts;

DROP TABLE candidate_acts;

ALTER TABLE candidate_acts_anew RENAME TO candidate_acts;

CREATE INDEX candidate_acts_candidate ON candidate_acts(candidate, seq)
"""

_WEBHOOKS = """
CREATE TABLE webhooks (
    id TEXT PRIMARY KEY, url TEXT NOT NULL, events TEXT NOT NULL, by TEXT NOT NULL, at TEXT NOT NULL,
    ended_at TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY, webhook TEXT NOT NULL REFERENCES webhooks(id), event TEXT NOT NULL, content TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'failed')),
    attempts INTEGER NOT NULL DEFAULT 0, due_at TEXT NOT NULL DEFAULT '', status INTEGER NOT NULL DEFAULT 0,
    asked_at TEXT NOT NULL, ended_at TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX deliveries_due ON deliveries(state, due_at)
"""

# Event, what makes it, what it tells (ids and kinds, never words), and when it was.
_EVENTS = (
    (
        "job.ended",
        "UPDATE OF state ON jobs WHEN NEW.state IN ('done', 'failed', 'cancelled') AND OLD.state <> NEW.state",
        "'job', NEW.id, 'kind', NEW.kind, 'state', NEW.state",
        "NEW.ended_at",
    ),
    ("voices.taken_in", "INSERT ON runs WHEN NEW.kind = 'intake'", "'run', NEW.id", "NEW.finished_at"),
    ("round.drawn", "INSERT ON rounds", "'round', NEW.id, 'kind', NEW.kind", "NEW.created_at"),
    (
        "codebook.published",
        "INSERT ON publications",
        "'codebook', NEW.codebook, 'version', NEW.version",
        "NEW.at",
    ),
)

_QUEUE = """
CREATE INDEX frames_unit ON frames(round, unit);

CREATE INDEX decisions_coder ON decisions(round, coder)
"""

_JOINT_DISPLAY = """
CREATE TABLE link_versions (
    link TEXT NOT NULL, version INTEGER NOT NULL, fingerprint TEXT NOT NULL, content TEXT NOT NULL, by TEXT NOT NULL,
    at TEXT NOT NULL, PRIMARY KEY (link, version)
) STRICT;

CREATE TABLE judgements (
    seq INTEGER PRIMARY KEY, link TEXT NOT NULL REFERENCES figures(link), link_version INTEGER NOT NULL,
    fit TEXT NOT NULL CHECK (fit IN ('convergence', 'complementarity', 'expansion', 'divergence', 'silence', 'not judged')),
    reason TEXT NOT NULL, took_part TEXT NOT NULL, numbers TEXT NOT NULL, by TEXT NOT NULL, at TEXT NOT NULL
) STRICT;

CREATE TABLE promises (
    seq INTEGER PRIMARY KEY, subject TEXT NOT NULL, who_sees TEXT NOT NULL, what_changes TEXT NOT NULL, by TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT
"""

# What a check changed: in `version` of a voice words at [start, end) are masked where `surrogate` is empty; otherwise a
# mask that read `surrogate` was opened there. `restored` says which earlier version a version has the words of.
_TAKEN_BACK = """
CREATE TABLE check_edits (
    look INTEGER NOT NULL REFERENCES checks(seq), voice TEXT NOT NULL REFERENCES voices(id), version INTEGER NOT NULL,
    start INTEGER NOT NULL, "end" INTEGER NOT NULL, surrogate TEXT NOT NULL
) STRICT;

CREATE INDEX check_edits_look ON check_edits(look);

CREATE TABLE check_undos (look INTEGER PRIMARY KEY REFERENCES checks(seq), by TEXT NOT NULL, at TEXT NOT NULL) STRICT;

CREATE TABLE restored (
    voice TEXT NOT NULL REFERENCES voices(id), version INTEGER NOT NULL, same_as INTEGER NOT NULL,
    PRIMARY KEY (voice, version)
) STRICT, WITHOUT ROWID;

ALTER TABLE checks ADD COLUMN held TEXT NOT NULL DEFAULT '';

ALTER TABLE flag_ends ADD COLUMN note TEXT NOT NULL DEFAULT ''
"""

_PACKS = """
CREATE TABLE packs (
    seq INTEGER PRIMARY KEY, sha256 TEXT NOT NULL UNIQUE, content BLOB NOT NULL,
    confirmed INTEGER NOT NULL CHECK (confirmed IN (0, 1)), by TEXT NOT NULL, at TEXT NOT NULL
) STRICT;

CREATE TABLE count_releases (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, entry BLOB NOT NULL, by TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT;

CREATE TABLE counted_people (person INTEGER PRIMARY KEY AUTOINCREMENT, participant TEXT NOT NULL UNIQUE) STRICT;

CREATE TABLE counted_answers (
    release TEXT NOT NULL, person INTEGER NOT NULL, answers BLOB NOT NULL, PRIMARY KEY (release, person)
) STRICT, WITHOUT ROWID
"""

# `version` of a voice is the first with the words of a corrected file. A decision that is `unkept` was taken back, and
# `round` is where its words are read again. Up to `decision` a segment was read with other words.
_CORRECTED = """
CREATE TABLE corrections (
    voice TEXT NOT NULL REFERENCES voices(id), version INTEGER NOT NULL, run TEXT NOT NULL REFERENCES runs(id),
    PRIMARY KEY (voice, version)
) STRICT;

CREATE TABLE unkept (
    decision INTEGER PRIMARY KEY REFERENCES decisions(seq), run TEXT NOT NULL REFERENCES runs(id), round TEXT NOT NULL
) STRICT;

CREATE TABLE rereads (
    segment TEXT NOT NULL REFERENCES segments(id), decision INTEGER NOT NULL, run TEXT NOT NULL REFERENCES runs(id),
    PRIMARY KEY (segment, run)
) STRICT
"""

# `voices` are the ids that were theirs, `receipt` what was done, in ids and counts.
_WITHDRAWALS = """
CREATE TABLE withdrawals (
    seq INTEGER PRIMARY KEY, participant TEXT NOT NULL UNIQUE, voices TEXT NOT NULL, receipt TEXT NOT NULL, by TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT
"""

# `round` is the review round of what was held back to be read one by one; `people` were read blind, `right` of them had
# no wrong suggestion from `score` on, `least` is the bound on that share.
_BULK = """
CREATE TABLE bulk_acts (
    round TEXT PRIMARY KEY REFERENCES rounds(id), code TEXT NOT NULL, codebook TEXT NOT NULL, codebook_version TEXT NOT NULL,
    reading TEXT NOT NULL, score REAL NOT NULL, people INTEGER NOT NULL, right INTEGER NOT NULL, least REAL NOT NULL,
    accepted INTEGER NOT NULL, held INTEGER NOT NULL, by TEXT NOT NULL, at TEXT NOT NULL
) STRICT;

CREATE TABLE bulk_ends (
    round TEXT PRIMARY KEY REFERENCES bulk_acts(round), by TEXT NOT NULL, at TEXT NOT NULL
) STRICT;

DROP VIEW codings;

CREATE VIEW codings AS
    SELECT segment, code, stance, start, "end", coder, at, round, shown, codebook_version, seq, bulk
    FROM (
        SELECT s.*, row_number() OVER (PARTITION BY segment, code, coder, round ORDER BY seq DESC) AS newest
        FROM standing s WHERE s.action IN ('accept', 'add', 'change', 'reject')
    ) c
    WHERE newest = 1 AND action <> 'reject' AND NOT (bulk = 1 AND EXISTS (
        SELECT 1 FROM standing r WHERE r.segment = c.segment AND r.action = 'close' AND r.seq > c.seq
    ))
"""

_PASSPORTS = """
CREATE TABLE passports (seq INTEGER PRIMARY KEY, content TEXT NOT NULL, by TEXT NOT NULL, at TEXT NOT NULL) STRICT
"""

# A request to see the original words of one voice, answered once by somebody else, and ended once its time is over.
_GLASS = """
CREATE TABLE glass_asks (
    seq INTEGER PRIMARY KEY, voice TEXT NOT NULL REFERENCES voices(id), reason TEXT NOT NULL, by TEXT NOT NULL, at TEXT NOT NULL
) STRICT;

CREATE TABLE glass_answers (
    ask INTEGER PRIMARY KEY REFERENCES glass_asks(seq), allowed INTEGER NOT NULL, by TEXT NOT NULL, at TEXT NOT NULL
) STRICT;

CREATE TABLE glass_ends (ask INTEGER PRIMARY KEY REFERENCES glass_asks(seq), at TEXT NOT NULL) STRICT
"""

# `version`, `start` and `end` say where the words stand, `digest` what stood there; a `paraphrase` is put in their place
# where it is not empty. `facts` are the card's counts.
_QUOTATIONS = """
CREATE TABLE quotations (
    seq INTEGER PRIMARY KEY, segment TEXT NOT NULL REFERENCES segments(id), voice TEXT NOT NULL REFERENCES voices(id),
    version INTEGER NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL, digest TEXT NOT NULL, code TEXT NOT NULL,
    stance TEXT NOT NULL, audience TEXT NOT NULL, paraphrase TEXT NOT NULL, harms TEXT NOT NULL, reason TEXT NOT NULL,
    facts TEXT NOT NULL, by TEXT NOT NULL, at TEXT NOT NULL
) STRICT;

CREATE TABLE quotation_rulings (
    seq INTEGER PRIMARY KEY, quotation INTEGER NOT NULL REFERENCES quotations(seq), outcome TEXT NOT NULL, why TEXT NOT NULL,
    by TEXT NOT NULL, at TEXT NOT NULL
) STRICT
"""

_PROTOCOLS = """
CREATE TABLE protocols (seq INTEGER PRIMARY KEY, words TEXT NOT NULL, by TEXT NOT NULL, at TEXT NOT NULL) STRICT
"""
