"""Tries the whole program on files that no person writes, by the million.

Each input is read, put into a project, judged by all rules and shown in every format, in process.
What counts as a failure: an exception, a time out of proportion, a span outside its file or one
that does not slice to what it names, and output that would act on a terminal or a runner.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from types import FrameType

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "promises"))

from fuzzing import OWN_SEEDS, TRIED, Input, check, make, smallest

from mlenv.project.classify import by_content, by_name
from mlenv.project.decode import decode
from mlenv.project.files import LIMITS

_WORKERS = 2
_BLOCK = 2_000
"""How many inputs a worker takes at a time: of each kind the same number."""

_TOGETHER = 6
"""How many inputs make one project; rules and reports then cost less for each."""

_BASE_SECONDS, _SECONDS_PER_BYTE = 2.0, 0.0005
_MOST_SEEDS = 40
"""Of each kind; more only take longer to read."""


class SlowError(Exception):
    """An input took more time than its size explains."""


@dataclass
class Block:
    """What a stretch of inputs gave.

    Attributes:
        kinds: How many of each kind there were.
        makers: How many each generator made.
        failures: For each way to fail, the number and the input that failed first, and how.
        counts: How often each way to fail was met.
        slowest: The seconds that one project took at the most, and the number of its first input.
    """

    kinds: Counter[str] = field(default_factory=Counter)
    makers: Counter[str] = field(default_factory=Counter)
    failures: dict[str, tuple[int, Input, str]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    slowest: tuple[float, int] = (0.0, 0)

    def add(self, other: Block) -> None:
        """Take in what another stretch gave."""
        self.kinds += other.kinds
        self.makers += other.makers
        self.counts += other.counts
        self.failures = {**other.failures, **self.failures}
        self.slowest = max(self.slowest, other.slowest)


@contextmanager
def _limited(size: int) -> Iterator[None]:
    """End what takes more of the processor's time than so many bytes are worth."""

    def give_up(_signal: int, _frame: FrameType | None) -> None:
        raise SlowError

    signal.signal(signal.SIGPROF, give_up)
    signal.setitimer(signal.ITIMER_PROF, _BASE_SECONDS + size * _SECONDS_PER_BYTE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _failure(inputs: Sequence[Input]) -> tuple[str, str]:
    """Return in a word how some inputs fail together, and the whole story; empty if they do not."""
    try:
        with _limited(sum(len(one.data) for one in inputs)):
            check(inputs)
    except SlowError:
        return f"slow {inputs[0].kind}", traceback.format_exc()
    except Exception as error:  # noqa: BLE001 - whatever goes wrong is what is looked for
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if "mlenv" in frame.filename] or frames
        place = f"{Path(own[-1].filename).name}:{own[-1].lineno}"
        return f"{type(error).__name__} at {place}", traceback.format_exc()
    return "", ""


def _block(task: tuple[int, int, int, Mapping[str, Sequence[str]]]) -> Block:
    seed, first, count, seeds = task
    found = Block()
    inputs = [make(seed, number, seeds) for number in range(first, first + count)]
    for at in range(0, count, _TOGETHER):
        together = inputs[at : at + _TOGETHER]
        found.kinds.update(one.kind for one in together)
        found.makers.update(one.maker for one in together)
        start = time.process_time()
        how, story = _failure(together)
        found.slowest = max(found.slowest, (time.process_time() - start, first + at))
        if how:
            _blame(found, first + at, together, how, story)
    return found


def _blame(found: Block, first: int, together: Sequence[Input], how: str, story: str) -> None:
    """Tell which input of a project fails by itself; the first, where only all of them do."""
    alone = False
    for offset, one in enumerate(together):
        own_how, own_story = _failure([one])
        if own_how:
            alone = True
            found.counts[own_how] += 1
            found.failures.setdefault(own_how, (first + offset, one, own_story))
    if not alone:
        how = f"{how} (with the {len(together) - 1} after it)"
        found.counts[how] += 1
        found.failures.setdefault(how, (first, together[0], story))


def _corpus(folder: Path) -> dict[str, tuple[str, ...]]:
    """Return the files below a folder by kind, beside those of the tests."""
    seeds = {kind: list(texts) for kind, texts in OWN_SEEDS.items()}
    for path in sorted(folder.rglob("*")):
        kind = by_name(path.relative_to(folder).as_posix())
        readable = kind and path.is_file() and path.stat().st_size < LIMITS["manifest"] // 8
        if not readable:
            continue
        text = decode(path.name, path.read_bytes()).text
        kind = by_content(kind, text)
        # a file by chance from all over the tree, and always the same ones
        if kind in seeds and text:
            seeds[kind].append(text)
    return {kind: tuple(_spread(texts)) for kind, texts in seeds.items()}


def _spread(texts: list[str]) -> list[str]:
    step = max(len(texts) // _MOST_SEEDS, 1)
    return texts[::step]


def _report(found: Block, folder: Path, seed: int, total: int, seconds: float) -> None:
    width = max(map(len, TRIED))
    for kind in TRIED:
        print(f"{kind:{width}}  {found.kinds[kind]:>9,}")
    print(", ".join(f"{number:,} by {maker}" for maker, number in sorted(found.makers.items())))
    slowest, number = found.slowest
    print(f"slowest project: {slowest:.2f} s of processor time, from input {number}")
    rate = total / max(seconds, 0.001)
    print(f"{total:,} inputs with seed {seed} in {seconds:.0f} s: {rate:,.0f} a second")
    for how, count in found.counts.most_common():
        number, one, _ = found.failures[how]
        print(f"FAILED {count:,} times: {how}, first by input {number} ({one.kind}, {one.maker})")
    print(f"{sum(found.counts.values()):,} failures" + (f": {folder}" if found.counts else ""))


def _keep(found: Block, folder: Path, seed: int) -> None:
    """Write for each way to fail the smallest input that is found for it, and the story."""
    folder.mkdir(parents=True, exist_ok=True)
    for index, (how, (number, one, story)) in enumerate(sorted(found.failures.items())):
        name = f"{index:02}-{one.kind}"
        least = smallest(one, lambda part, how=how: _failure([part])[0] == how)  # type: ignore[misc]
        (folder / f"{name}.input").write_bytes(least.data)
        told = f"{how}\ninput {number} of seed {seed}: --seed {seed} --first {number} --count 6\n\n"
        (folder / f"{name}.txt").write_text(told + story, encoding="utf-8", errors="replace")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--count", type=int, default=100_000, help="how many inputs")
    parser.add_argument("--first", type=int, default=0, help="the number of the first input")
    parser.add_argument("--seed", type=int, default=1, help="another one gives other inputs")
    parser.add_argument("--seconds", type=float, default=0, help="stop after so long; 0 for never")
    parser.add_argument("--corpus", type=Path, help="a folder of files to spoil beside our own")
    parser.add_argument("--output", type=Path, help="where failures are written")
    parser.add_argument("--workers", type=int, default=_WORKERS, help="how many processes")
    return parser.parse_args()


def main() -> int:
    """Try inputs and tell what failed; 1 where something did."""
    asked = _arguments()
    seeds = _corpus(asked.corpus) if asked.corpus else OWN_SEEDS
    folder = asked.output or Path(tempfile.mkdtemp(prefix="mlenv-fuzz-"))
    last = asked.first + asked.count
    tasks = (
        (asked.seed, first, min(_BLOCK, last - first), seeds)
        for first in range(asked.first, last, _BLOCK)
    )
    found = Block()
    start = time.perf_counter()
    with get_context("fork").Pool(asked.workers) as pool:
        for block in pool.imap_unordered(_block, tasks):
            found.add(block)
            if asked.seconds and time.perf_counter() - start > asked.seconds:
                pool.terminate()
                break
    seconds = time.perf_counter() - start
    if found.failures:
        _keep(found, folder, asked.seed)
    _report(found, folder, asked.seed, found.kinds.total(), seconds)
    return 1 if found.failures else 0


if __name__ == "__main__":
    sys.exit(main())
