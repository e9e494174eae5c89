"""Jobs: done once, whoever is killed; what stopped goes on; a problem is told without anybody's words."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from service.clock import now
from service.errors import RecordError, StudyError
from service.study.jobs import MOST_ATTEMPTS, Job, all_jobs, ask, beat, cancel, claim, job, retry
from service.study.study import Study, open_study
from service.usecases.jobs import Progress, work_once
from service.worker import work
from tests.conftest import NOW, Made

LATER = "2026-01-15T10:02:00.000+00:00"


def test_a_job_asked_for_twice_with_one_token_is_one_job(made: Made) -> None:
    first = ask(made.study.db, "suggest", {}, by="a", now=NOW, token="t1")

    assert ask(made.study.db, "suggest", {}, by="a", now=NOW, token="t1").id == first.id
    assert ask(made.study.db, "suggest", {}, by="a", now=NOW).id != first.id


def test_two_workers_never_hold_the_same_job(made: Made) -> None:
    wanted = {ask(made.study.db, "suggest", {}, by="a", now=NOW).id for _ in range(40)}
    held: list[int] = []

    def take(worker: str) -> None:
        study = open_study(made.study.folder)
        while (found := claim(study.db, worker, now=NOW)) is not None:
            held.append(found.id)
        study.db.close()

    threads = [threading.Thread(target=take, args=(f"w{i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(held) == sorted(wanted)


def test_a_job_whose_worker_was_not_heard_of_goes_to_another_and_the_first_loses_it(made: Made) -> None:
    asked = ask(made.study.db, "suggest", {}, by="a", now=NOW)
    claim(made.study.db, "first", now=NOW)

    assert claim(made.study.db, "second", now=NOW) is None
    taken = claim(made.study.db, "second", now=LATER)

    assert taken is not None
    assert (taken.id, taken.attempts) == (asked.id, 2)
    assert not beat(made.study.db, asked.id, "first", done=1, total=2, now=LATER)


def test_a_job_that_takes_down_its_workers_fails_in_the_end(made: Made) -> None:
    asked = ask(made.study.db, "suggest", {}, by="a", now=NOW)
    for minute in range(MOST_ATTEMPTS):
        claim(made.study.db, "w", now=f"2026-01-15T10:{2 * minute:02}:00.000+00:00")

    assert claim(made.study.db, "w", now="2026-01-15T11:00:00.000+00:00") is None
    assert (job(made.study.db, asked.id).state, job(made.study.db, asked.id).problem) == (
        "failed", "its worker stopped too often",
    )  # fmt: skip


def _refuses(_: Study, __: Job, ___: Progress) -> Mapping[str, int]:
    raise StudyError("run “heard suggest” first")


def _breaks(_: Study, __: Job, ___: Progress) -> Mapping[str, int]:
    raise ValueError("Zebedee lives at number 4")


@pytest.mark.parametrize(("handler", "problem"), [(_refuses, "run “heard suggest” first"), (_breaks, "ValueError")])
def test_a_problem_is_kept_and_no_words_of_an_unexpected_one(made: Made, handler: object, problem: str) -> None:
    ask(made.study.db, "x", {}, by="a", now=NOW)

    work_once(made.study, {"x": handler}, "w", lambda: NOW)  # type: ignore[dict-item]

    kept = all_jobs(made.study.db)[0]
    assert (kept.state, kept.problem) == ("failed", problem)
    assert retry(made.study.db, kept.id).state == "waiting"


def test_a_cancelled_job_stops_at_its_next_heartbeat(made: Made) -> None:
    asked = ask(made.study.db, "x", {}, by="a", now=NOW)
    steps: list[int] = []

    def slow(study: Study, held: Job, progress: Progress) -> Mapping[str, int]:
        for step in range(10):
            steps.append(step)
            if step == 3:
                cancel(study.db, held.id, now=NOW)
            progress(step, 10)
        return {}

    work_once(made.study, {"x": slow}, "w", lambda: NOW)

    assert steps == [0, 1, 2, 3]
    assert job(made.study.db, asked.id).state == "cancelled"


def test_a_job_that_is_done_is_neither_cancelled_nor_tried_again(made: Made) -> None:
    asked = ask(made.study.db, "x", {}, by="a", now=NOW)
    work_once(made.study, {"x": lambda *_: {"voices": 2}}, "w", lambda: NOW)

    assert cancel(made.study.db, asked.id, now=NOW).state == "done"
    assert job(made.study.db, asked.id).result == {"voices": 2}
    with pytest.raises(RecordError, match="failed or cancelled"):
        retry(made.study.db, asked.id)


def test_a_worker_killed_halfway_loses_and_doubles_nothing(made: Made, tmp_path: Path) -> None:
    """The real worker in a process of its own, killed with SIGKILL at several moments, on real voices."""
    rows = "id,text\n" + "".join(f"{i},i like the slide at number {i} with Maisie\n" for i in range(600))
    (tmp_path / "voices.csv").write_text(rows, "utf-8")
    env = {**os.environ, "HEARD_KEY_FOLDER": str(tmp_path / "keys")}
    heard = [sys.executable, "-m", "service"]
    subprocess.run([*heard, "intake", str(made.study.folder), str(tmp_path / "voices.csv")], env=env, check=True)
    asked = ask(made.study.db, "prepare", {}, by="a", now=now())

    for seconds in (3.0, 5.0):
        process = subprocess.Popen([*heard, "worker", str(made.study.folder)], env=env)
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        process.wait()
        made.study.db.conn.execute("UPDATE jobs SET lease_until = '' WHERE state = 'running'")
        made.study.db.conn.commit()
    subprocess.run([*heard, "worker", str(made.study.folder), "--until-idle"], env=env, check=True)

    one = made.study.db.conn.execute
    assert job(made.study.db, asked.id).state == "done"
    assert one("SELECT count(*), count(DISTINCT voice) FROM clean_texts").fetchone()[:] == (600, 600)
    assert one("SELECT count(*) FROM matched").fetchone()[0] == one("SELECT count(*) FROM segments").fetchone()[0]


def test_a_folder_is_worked_until_nothing_waits(made: Made) -> None:
    ask(made.study.db, "nothing of the kind", {}, by="a", now=NOW)

    assert work(made.study.folder, threading.Event(), until_idle=True) == 1
    assert all_jobs(made.study.db)[0].state == "failed"


@pytest.mark.parametrize("jumped", ["2025-01-01T00:00:00.000+00:00", "2031-01-01T00:00:00.000+00:00"])
def test_a_clock_that_jumps_while_a_job_is_done_does_it_once(made: Made, jumped: str) -> None:
    ask(made.study.db, "suggest", {}, by="a", now=NOW)
    times, done = [NOW], list[int]()

    def handle(_: Study, job: Job, progress: Progress) -> Mapping[str, int]:
        times.append(jumped)
        progress(1, 2)
        assert claim(made.study.db, "another", now=times[-1]) is None  # its lease moved with the clock
        done.append(job.id)
        return {"n": 1}

    assert work_once(made.study, {"suggest": handle}, "one", lambda: times[-1]) is not None
    times.append(NOW)  # and back
    assert work_once(made.study, {"suggest": handle}, "one", lambda: times[-1]) is None

    (ended,) = all_jobs(made.study.db)
    assert (ended.state, dict(ended.result), len(done)) == ("done", {"n": 1}, 1)
