"""The actions that a command carries out: how they are called, and what came of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from voyager.browsing.twins import Done


@dataclass(frozen=True, slots=True)
class Deed:
    """Something to be done by a command.

    Attributes:
        title: A few words, as in "verify put_on".
        what: One sentence on what will happen.
        words: The command, without the program's name.
        doing: What it is called while it is under way.
        draft: A file with what somebody has written for it, which goes once that is a version.
    """

    title: str
    what: str
    words: tuple[str, ...]
    doing: str
    draft: Path | None = None


def verify(name: str) -> Deed:
    """Replay a certificate."""
    return Deed(
        f"verify {name}",
        "Every episode of the certificate is run again in fresh processes and compared bit for "
        "bit. It takes about a minute.",
        ("skills", "verify", name),
        f"verifying {name}",
    )


def deepen(name: str) -> Deed:
    """Run fresh scenes up to the next look."""
    return Deed(
        f"deepen {name}",
        "It is run on fresh scenes up to the next look (20, 40, then 100), and its lower bound is "
        "published. That takes minutes, and no explorer may be running in this home.",
        ("skills", "deepen", name),
        f"deepening {name}",
    )


def renew(name: str) -> Deed:
    """Prove a stale skill again."""
    return Deed(
        f"renew {name}",
        "The same program is certified again on fresh scenes, by the judge of today. That takes "
        "about a minute, and no explorer may be running in this home.",
        ("skills", "renew", name),
        f"renewing {name}",
    )


def run(name: str, seed: int) -> Deed:
    """Run a skill on the scene of a seed."""
    return Deed(f"run {name}", "", ("skills", "run", name, "--seed", str(seed)), f"running {name}")


def pin(name: str, pinned: bool) -> Deed:
    """Pin a skill, or let it go."""
    if pinned:
        return Deed(f"unpin {name}", "", ("skills", "unpin", name), f"unpinning {name}")
    return Deed(f"pin {name}", "", ("skills", "pin", name), f"pinning {name}")


def retire(name: str) -> Deed:
    """Offer a skill no longer."""
    return Deed(
        f"retire {name}",
        "It is offered no longer. Skills that call it keep it in their locks and keep working; "
        "restore brings it back.",
        ("skills", "retire", name),
        f"retiring {name}",
    )


def restore(name: str, version: int | None = None) -> Deed:
    """Bring a skill back, or let another version stand for it."""
    if version is None:
        what = "It is offered again, in the state that its version has earned."
        return Deed(f"restore {name}", what, ("skills", "restore", name), f"restoring {name}")
    return Deed(
        f"restore version {version} of {name}",
        f"Version {version} stands for {name} from now on. Skills that call it keep the version "
        "in their locks.",
        ("skills", "restore", name, "--version", str(version)),
        f"restoring version {version} of {name}",
    )


def edit(name: str, file: Path) -> Deed:
    """Set an edited program against the champion."""
    return Deed(
        f"certify the edited {name}",
        "Your version is checked, practised and certified on scenes that it never saw, and set "
        "against the champion on fresh ones. That takes minutes, and no explorer may be running "
        "in this home.",
        ("skills", "edit", name, "--file", str(file)),
        f"certifying the edited {name}",
        file,
    )


def export(format: str, name: str | None, out: Path) -> Deed:
    """Write skills in a format of others; all in use when no name is given."""
    chosen = ("--all",) if name is None else ("--skill", name)
    told = "all skills" if name is None else name
    return Deed(
        f"export {told} as {format}",
        "",
        ("export", "--format", format, *chosen, "--out", str(out)),
        f"exporting {told} as {format}",
    )


def queue(goal: str, parameters: Mapping[str, str]) -> Deed:
    """Ask an explorer for a skill."""
    given = tuple(word for name, kind in parameters.items() for word in ("-p", f"{name}={kind}"))
    return Deed(
        f"ask for {goal}",
        "Explorers take what waits before they choose tasks of their own.",
        ("tasks", "add", goal, *given),
        f"asking for {goal}",
    )


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a deed.

    Attributes:
        sentence: For people.
        good: Whether it is what was wished for.
    """

    sentence: str
    good: bool


def result(deed: Deed, done: Done) -> Result:
    """What a command's answer means.

    Args:
        deed: What was to be done.
        done: How its command ended.
    """
    kept = "" if deed.draft is None or certified(done) else f"; your text is in {deed.draft}"
    if done.error:
        return Result(f"{deed.title}: {done.error}{kept}", False)
    tell = _TELLERS.get(str(done.record.get("schema", "")))
    if tell is not None:
        try:
            return Result(f"{tell(done.record)}{kept}", done.code == 0)
        except (KeyError, IndexError, TypeError, ValueError):
            pass  # an answer of another version: how it ended is known all the same
    ended = "done" if done.code == 0 else "not done"
    return Result(f"{deed.title}: {ended}{kept}", done.code == 0)


def certified(done: Done) -> bool:
    """Whether a command has made a version of what somebody has written, or found that it is one.

    Args:
        done: How it ended.
    """
    known = done.record.get("schema") == "voyager.challenge/1"
    return known and done.record.get("verdict") != "refused"


def _verified(record: Mapping[str, Any]) -> str:
    one = record["skills"][0]
    if one["error"]:
        return f"{one['name']} cannot be replayed: {one['error']}"
    same = "bit for bit the same" if one["identical"] else "not the same in every bit"
    return f"{one['name']}: {one['verdict']}, {one['k']} of {one['n']} solved, {same}"


def _deepened(record: Mapping[str, Any]) -> str:
    found = record["deepening"]
    return (
        f"{record['name']} is {record['state']}: {found['solved']} of {found['look']} fresh scenes "
        f"solved, at least {record['bound']:.1%}"
    )


def _renewed(record: Mapping[str, Any]) -> str:
    one = record["skills"][0]
    return f"{one['name']}: {one['verdict']}" + (f", {one['why']}" if one["why"] else "")


def _moved(record: Mapping[str, Any]) -> str:
    pinned = ", pinned" if record["pinned"] else ""
    return f"{record['name']} is {record['state']}, version {record['version']}{pinned}"


def _challenged(record: Mapping[str, Any]) -> str:
    return f"{record['name']}: {record['verdict']}, {record['why']}"


def _queued(record: Mapping[str, Any]) -> str:
    if record["skill"]:
        return f"{record['skill']} solves this task already"
    waits = "waits" if record["added"] else "is waiting already"
    return f"task {record['task']['id']} {waits}: {record['task']['goal']}"


_TELLERS: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "voyager.verification/1": _verified,
    "voyager.deepen/1": _deepened,
    "voyager.renew/1": _renewed,
    "voyager.life/1": _moved,
    "voyager.challenge/1": _challenged,
    "voyager.task_add/1": _queued,
}
