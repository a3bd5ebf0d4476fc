from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from env.errors import VoyagerError
from env.task import Task
from skill_store import Library, RequestState, StorageError, UnknownRequest
from tests.skill_store.samples import LIFT, REACH, STACK


def test_requests_wait_in_order_until_they_are_settled(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        queue = library.queue
        assert queue.next() is None
        first = queue.add(REACH, "go").request
        second = queue.add(STACK).request
        assert (first.waiting, first.name, first.note, first.settled_at) == (True, "go", "", None)
        assert second.parameters == (("top", "block"), ("bottom", "block"))
        assert (second.goal, second.task_hash) == (STACK.goal.text, STACK.hash)
        assert queue.next() == first
        assert queue.next() == first
        assert queue.settle(first.id, RequestState.LEARNED, "go is in the library")
        assert queue.next() == second
        assert queue.settle(second.id, RequestState.FAILED, "no program held in practice")
        assert queue.next() is None
    with Library.open(tmp_path) as library:
        done, failed = library.queue.list()
        assert (done.state, done.note) == (RequestState.LEARNED, "go is in the library")
        assert done.settled_at is not None
        assert done.settled_at > done.queued_at
        assert failed.task() == STACK
        assert library.queue.list(RequestState.FAILED) == (failed,)
        assert library.queue.list(RequestState.WAITING) == ()


def test_a_task_waits_once_however_it_is_worded(tmp_path: Path) -> None:
    renamed = Task.make("lifted(cube)", {"cube": "block"}, instruction="Up with it.")
    with Library.open(tmp_path) as library:
        first = library.queue.add(LIFT)
        again = library.queue.add(renamed, "up")
        assert (first.added, again.added) == (True, False)
        assert again.request == first.request
        library.queue.settle(first.request.id, RequestState.REFUSED, "solved by doing nothing")
        fresh = library.queue.add(renamed, "up")
        assert fresh.added
        assert fresh.request.instruction == "Up with it."
        assert fresh.request.task().parameters == (("cube", "block"),)


def test_what_its_user_dropped_stays_dropped(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        request = library.queue.add(LIFT).request
        dropped = library.queue.drop(request.id)
        assert dropped.state is RequestState.DROPPED
        assert not library.queue.settle(request.id, RequestState.LEARNED, "too late")
        assert library.queue.list() == (dropped,)
        with pytest.raises(UnknownRequest, match=r"task 1 \(lifted\(block\)\) no longer waits"):
            library.queue.drop(request.id)
        with pytest.raises(UnknownRequest, match="no task has the number 7"):
            library.queue.drop(7)
        with pytest.raises(ValueError, match="not settled"):
            library.queue.settle(request.id, RequestState.WAITING, "")


def test_asking_works_while_a_learner_holds_the_home(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from skill_store import Library\n"
        "from tests.skill_store.samples import LIFT, REACH\n"
        "with Library.open(sys.argv[1]) as library:\n"
        "    library.queue.add(LIFT)\n"
        "    library.queue.drop(library.queue.add(REACH).request.id)\n"
    )
    root = Path(__file__).parents[2]
    with Library.open(tmp_path, learning=True) as learner:
        subprocess.run([sys.executable, "-c", script, str(tmp_path)], cwd=root, check=True)
        request = learner.queue.next()
        assert request is not None
        assert request.task() == LIFT
        states = [request.state for request in learner.queue.list()]
        assert states == [RequestState.WAITING, RequestState.DROPPED]


def test_requests_of_unknown_kinds_can_be_listed_and_dropped(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        library.queue.add(LIFT)
        library.database.execute("UPDATE queue SET wording = replace(wording, 'block', 'gadget')")
        (request,) = library.queue.list()
        assert request.goal == "lifted(gadget)"
        with pytest.raises(VoyagerError):
            request.task()
        library.queue.drop(request.id)
        library.database.execute("UPDATE queue SET wording = '{'")
        with pytest.raises(StorageError, match="task 1 of the queue cannot be read back"):
            library.queue.list()


def test_many_who_ask_for_the_same_at_once_queue_it_once(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from env.task import Task\n"
        "from skill_store import Library\n"
        "with Library.open(sys.argv[1]) as library:\n"
        "    print('ready', flush=True)\n"
        "    sys.stdin.readline()\n"
        "    for number in range(1, 11):\n"
        "        text = f'lifted(block, {number / 100})'\n"
        "        print(library.queue.add(Task.make(text, {'block': 'block'})).added)\n"
    )
    root = Path(__file__).parents[2]
    with Library.open(tmp_path, learning=True) as learner:
        users = [
            subprocess.Popen(
                [sys.executable, "-c", script, str(tmp_path)],
                cwd=root,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(3)
        ]
        for user in users:
            assert user.stdout is not None
            assert user.stdout.readline() == "ready\n"
        for user in users:
            assert user.stdin is not None
            user.stdin.write("go\n")
            user.stdin.flush()
        for _ in range(50):
            learner.journal.begin_attempt(STACK)
        told = [user.communicate()[0].split() for user in users]
        assert [user.returncode for user in users] == [0, 0, 0]
        assert sum(words.count("True") for words in told) == 10
        assert len(learner.queue.list()) == 10
