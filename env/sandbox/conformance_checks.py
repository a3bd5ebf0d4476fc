"""What a sandbox must do for a program; each docstring is the requirement."""

from __future__ import annotations

from dataclasses import replace

from env.program import PUBLISHED_MODULES, Closure, Program
from env.sandbox.base import RunResult, RunStatus
from env.sandbox.conformance import LIMITS, Bench, Check, Recorder, program_text
from env.sandbox.conformance_attacks import ATTACKS, no_escape


def _expect(result: RunResult, status: RunStatus, reason: str = "") -> str | None:
    if result.status is not status:
        return f"{result.status.value} ({result.reason}) instead of {status.value}"
    if reason not in result.reason:
        return f"the reason is {result.reason!r}, without {reason!r}"
    return None


def _returned(result: RunResult) -> str | None:
    return _expect(result, RunStatus.RETURNED)


# -- calls ------------------------------------------------------------------------------------


def arguments_cross_both_ways(bench: Bench) -> str | None:
    """Positional and keyword arguments arrive as plain data; numbers come back as tuples."""
    robot = Recorder()
    result = bench.main("x = position('ä')\nsay(text=[x, {'k': None}, True])", robot)
    wanted = [
        ("position", ["ä"], {}),
        ("say", [], {"text": [[0.5, -0.1, 0.02], {"k": None}, True]}),
    ]
    return _returned(result) or (None if robot.asked == wanted else f"asked {robot.asked}")


def numbers_come_back_as_tuples(bench: Bench) -> str | None:
    """A position is a tuple in the skill; a list of names stays a list."""
    robot = Recorder()
    bench.main("say(f'{position(objects()[0])} {objects()}')", robot)
    return None if robot.said == ["(0.5, -0.1, 0.02) ['a', 'b']"] else f"said {robot.said}"


def entry_arguments_arrive(bench: Bench) -> str | None:
    """The public function gets its arguments by name, and its own defaults."""
    source = (
        "from robot import Block, say\n"
        "def go(b: Block, h: float = 0.5, n: int = 2) -> None:\n"
        "    '''Go.'''\n"
        "    say(f'{b} {h} {n}')\n"
    )
    robot = Recorder()
    result = bench.run(source, robot, b="x7", n=3)
    return _returned(result) or (None if robot.said == ["x7 0.5 3"] else f"said {robot.said}")


def robot_errors_can_be_caught(bench: Bench) -> str | None:
    """An ActionError arrives as the class of that name, with message and numbers."""
    body = """
try:
    move_to((0, 0, 0))
except Blocked as error:
    say(f"{error} | {error.numbers['short_by']} | {error.numbers['by']}")
try:
    move_to((0, 0, 0))
except ActionError as error:
    say(type(error).__name__ + error.message[:10])
"""
    robot = Recorder()
    result = bench.main(body, robot)
    wanted = ["the motion stopped 0.12 m short | 0.12 | b", "Blockedthe motion"]
    return _returned(result) or (None if robot.said == wanted else f"said {robot.said}")


def robot_errors_end_a_program(bench: Bench) -> str | None:
    """An ActionError that nobody catches is reported with the line of the call."""
    result = bench.main("x = 1\nmove_to((0, 0, 0))")
    problem = _expect(result, RunStatus.RAISED, "Blocked: the motion stopped")
    if problem or result.error is None:
        return problem or "no error report"
    line = program_text("x = 1\nmove_to((0, 0, 0))").count("\n")
    found = result.error.frames[-1].line
    return None if found == line else f"line {found} instead of {line}"


def errors_name_line_and_columns(bench: Bench) -> str | None:
    """An error's place is told to the column."""
    result = bench.main("y = 0\nx = 1 + (2 / y)")
    problem = _expect(result, RunStatus.RAISED, "ZeroDivisionError: division by zero")
    if problem or result.error is None:
        return problem or "no error report"
    frame = result.error.frames[-1]
    found = (frame.skill, frame.function, frame.column, frame.end_column)
    return None if found == ("main", "main", 13, 18) else f"at {found}"


def calls_tell_their_place(bench: Bench) -> str | None:
    """The host learns which line of which skill made a call."""
    robot = Recorder()
    bench.run("from robot import say\ndef go() -> None:\n    '''Go.'''\n    say('x')\n", robot)
    found = [(site.skill, site.line) for site in robot.sites]
    return None if found == [("go", 4)] else f"at {found}"


def odd_arguments_are_refused_inside(bench: Bench) -> str | None:
    """What is no plain data never leaves the skill; it gets an error it can read."""
    body = """
for odd in (print, float("nan"), 10**30, {1: 2}, {"s"}, b"x", "\\ud800", [[[[[[[[[[[]]]]]]]]]]]):
    try:
        say(odd)
    except (TypeError, ValueError) as error:
        print("say" in str(error))
try:
    say("x" * 10_000_000)
except ValueError:
    print(True)
for wrong in ("say('a', 'b')", "say(texts='a')", "say('a', text='b')"):
    try:
        eval(wrong)
    except TypeError as error:
        print("say()" in str(error))
"""
    robot = Recorder()
    result = bench.main(body, robot)
    if result.output.split() != ["True"] * 12:
        return f"printed {result.output!r}, {result.reason}"
    return _returned(result) or (f"asked {robot.asked}" if robot.asked else None)


# -- skills that call skills ------------------------------------------------------------------

_INNER = """
from robot import say
def inner(n: int, h: float = 0.5) -> None:
    '''Inner.'''
    say(f"inner {n}")
    if n < 0:
        raise ValueError("negative")
"""


def _nested(body: str, inner: str = _INNER) -> Closure:
    callee = Program.parse(inner)
    source = "from robot import say\nfrom skills.inner import inner\n\n\ndef outer() -> None:\n"
    source += "    '''Outer.'''\n" + "".join(f"    {line}\n" for line in body.splitlines())
    return Closure.of(Program.parse(source, {"inner": callee.hash}), [Closure.of(callee)])


def skill_calls_are_bracketed(bench: Bench) -> str | None:
    """Calls of skills are told to the host with all arguments, before and after."""
    robot = Recorder()
    result = bench.run(_nested("inner(1)\nsay('between')\ninner(n=2, h=1)"), robot)
    events = ["enter inner", "leave inner ok"] * 2
    arguments = [{"n": 1, "h": 0.5}, {"n": 2, "h": 1}]
    if robot.events != events or robot.arguments != arguments:
        return f"told {robot.events} with {robot.arguments}"
    return _returned(result) or (
        None if robot.said == ["inner 1", "between", "inner 2"] else f"said {robot.said}"
    )


def a_failing_skill_is_told(bench: Bench) -> str | None:
    """A callee that raises is told as failed; its caller may catch the error."""
    robot = Recorder()
    result = bench.run(_nested("try:\n    inner(-1)\nexcept ValueError:\n    say('caught')"), robot)
    if robot.events != ["enter inner", "leave inner failed"]:
        return f"told {robot.events}"
    return _returned(result) or (None if robot.said[-1] == "caught" else f"said {robot.said}")


def errors_cross_skills(bench: Bench) -> str | None:
    """An error in a callee has both levels in its report."""
    result = bench.run(_nested("inner(-1)"))
    if result.error is None:
        return f"{result.status.value}: {result.reason}"
    levels = [(frame.skill, frame.line) for frame in result.error.frames]
    return None if levels == [("outer", 7), ("inner", 7)] else f"levels {levels}"


def two_versions_stand_side_by_side(bench: Bench) -> str | None:
    """Each caller gets the version that it locked, also under one name."""
    old = Program.parse("from robot import say\ndef low() -> None:\n    '''L.'''\n    say('old')\n")
    new = Program.parse("from robot import say\ndef low() -> None:\n    '''L.'''\n    say('new')\n")
    middle = Program.parse(
        "from skills.low import low\ndef mid() -> None:\n    '''M.'''\n    low()\n",
        {"low": old.hash},
    )
    top = Program.parse(
        "from skills.low import low\nfrom skills.mid import mid\n"
        "def top() -> None:\n    '''T.'''\n    low()\n    mid()\n    low()\n",
        {"low": new.hash, "mid": middle.hash},
    )
    middle_closure = Closure.of(middle, [Closure.of(old)])
    robot = Recorder()
    result = bench.run(Closure.of(top, [middle_closure, Closure.of(new)]), robot)
    return _returned(result) or (
        None if robot.said == ["new", "old", "new"] else f"said {robot.said}"
    )


# -- the world inside -------------------------------------------------------------------------


def published_modules_can_be_imported(bench: Bench) -> str | None:
    """Every published module, and dataclasses with inheritance and odd annotations."""
    lines = [f"import {name}\n" for name in sorted(PUBLISHED_MODULES - {"__future__"})]
    source = "from __future__ import annotations\n" + "".join(lines)
    source += (
        "from collections.abc import Sequence\n"
        "class _Mode(enum.Enum):\n    A = 1\n"
        "@dataclasses.dataclass(frozen=True)\nclass _P:\n    x: float\n    y: float = 0.0\n"
        "class _Q(_P):\n"
        "    @property\n    def n(self) -> float:\n        return math.hypot(self.x, self.y)\n"
        "    @functools.cached_property\n    def m(self) -> float:\n        return self.n * 2\n"
        "def _each(p: Sequence[int]):\n    yield from p\n"
        "def go() -> None:\n    '''Go.'''\n"
        "    q = copy.deepcopy(_Q(3.0, 4.0))\n"
        "    print(q.n, q.m, [*_each([1])], _Mode.A.name, statistics.fmean([1, 2]))\n"
        "    print(json.dumps({'a': 1}), re.sub('a', 'b', 'aa'), random.Random(1).random() < 1)\n"
        "    print(string.Template('$a').substitute(a=1), heapq.nsmallest(1, [2, 1]))\n"
    )
    result = bench.run(source)
    return _returned(result) or (
        None if result.output.startswith("5.0 10.0 [1] A 1.5\n") else f"printed {result.output!r}"
    )


def other_modules_cannot_be_imported(bench: Bench) -> str | None:
    """Anything else is a ModuleNotFoundError that names what may be imported."""
    problem = _expect(
        bench.main("__import__('os')"), RunStatus.RAISED, "ModuleNotFoundError: a skill cannot"
    )
    return problem or _expect(
        bench.run("from robot import grasp\ndef go() -> None:\n    '''Go.'''\n"),
        RunStatus.RAISED,
        "ImportError: robot has no 'grasp'",
    )


def print_is_kept(bench: Bench) -> str | None:
    """What a program prints comes back, also when it fails; not without end, nor with escapes."""
    result = bench.main("print('a', 1, sep='-')\nprint('\\x1b[31mred')\n1 / 0")
    if not result.output.startswith("a-1\n") or "\x1b" in result.output:
        return f"kept {result.output!r}"
    result = bench.main(
        "for _ in range(100000): print('ü' * 1000)", limits=replace(LIMITS, cpu_s=9)
    )
    kept = len(result.output)
    return _returned(result) or (
        None if 1000 <= kept <= LIMITS.output_bytes else f"{kept} characters were kept"
    )


def random_numbers_follow_the_seed(bench: Bench) -> str | None:
    """The same seed draws the same numbers, another seed others."""
    body = "print(random.random(), random.Random().random())"
    first, again, other = (bench.main(body, seed=seed).output for seed in (1, 1, 2))
    if first != again:
        return f"the same seed drew {first!r} and {again!r}"
    return None if first.split()[0] != other.split()[0] else "another seed drew the same numbers"


def sets_have_one_order(bench: Bench) -> str | None:
    """Hashes of text are fixed."""
    body = "print([*{'a', 'b', 'c', 'd', 'e', 'f'}], hash('abc'))"
    outputs = {bench.main(body).output for _ in range(3)}
    return None if len(outputs) == 1 else f"printed {outputs}"


def there_is_no_clock(bench: Bench) -> str | None:
    """No way to ask for the time gives two different answers."""
    body = """
time = modules["time"]
for name in ("time", "monotonic", "perf_counter", "process_time", "thread_time"):
    try:
        ask = getattr(time, name)
        first = ask()
        for _ in range(200_000):
            pass
        if ask() != first:
            say("escaped " + name)
    except Exception:
        pass
"""
    return no_escape(bench, body)


def runs_leave_nothing_behind(bench: Bench) -> str | None:
    """What one program changes in its interpreter is unchanged for the next."""
    bench.main("math.pi = 3\nmodules['builtins'].print = None\nmodules.clear()")
    result = bench.main("print(math.pi > 3.1)")
    return _returned(result) or (None if result.output == "True\n" else result.output)


# -- limits -----------------------------------------------------------------------------------


def the_handler_can_end_a_run(bench: Bench) -> str | None:
    """A limit of the host's ends the run at that call, whatever the program catches."""
    robot = Recorder(stop_at=3)
    body = "while True:\n    try:\n        say('x')\n    except BaseException:\n        pass"
    result = bench.main(body, robot)
    if result.limit is None or result.limit.name != "calls_of_handler":
        return f"{result.status.value}: {result.reason}"
    return None if len(robot.asked) == 3 else f"{len(robot.asked)} calls were made"


def calls_are_counted(bench: Bench) -> str | None:
    """There is a last call, also when the handler has no limit."""
    robot = Recorder()
    result = bench.main("while True: say('x')", robot)
    return _expect(result, RunStatus.LIMIT) or (
        None if len(robot.asked) == LIMITS.calls else f"{len(robot.asked)} calls were made"
    )


def errors_of_the_host_pass_through(bench: Bench) -> str | None:
    """An error of the handler's own reaches whoever called `run`."""
    try:
        bench.main("say('x')", Recorder(fails=LookupError("of the host")))
    except LookupError:
        return None
    return "it was swallowed"


def _hangs(bench: Bench, body: str) -> str | None:
    result = bench.main(body)
    return _expect(result, RunStatus.HANG) or (
        None if result.burnt_cpu and result.about_program else "the CPU it used is not told"
    )


def endless_loops_are_stopped(bench: Bench) -> str | None:
    """A loop that catches everything ends when its CPU allowance does."""
    return _hangs(
        bench, "while True:\n    try:\n        x = 1\n    except BaseException:\n        x = 2"
    )


def long_calculations_are_stopped(bench: Bench) -> str | None:
    """So does one that never comes back to Python code."""
    return _hangs(bench, "sum(range(10**12))")


def slow_patterns_are_stopped(bench: Bench) -> str | None:
    """So does a regular expression that backtracks for ever."""
    return _hangs(bench, "import re\nre.match('(a+)+$', 'a' * 64 + 'b')")


def sleeping_is_not_possible(bench: Bench) -> str | None:
    """A program that only waits is stopped too, and the blame is clear."""
    limits = replace(LIMITS, wall_s=0.5)
    result = bench.main("modules['time'].sleep(60)\nsay('escaped')", robot := Recorder(), limits)
    if robot.said:
        return "it slept"
    return None if result.about_program else f"{result.status.value}: {result.reason}"


def memory_is_bounded(bench: Bench) -> str | None:
    """Too much memory is a MemoryError in the program, fast or slow."""
    for body in ("x = bytearray(10**10)", "x = []\nwhile True: x.append('x' * 10**6)"):
        if problem := _expect(bench.main(body), RunStatus.RAISED, "MemoryError"):
            return problem
    result = bench.main("try:\n    x = bytearray(10**10)\nexcept MemoryError:\n    say('caught')")
    return _returned(result)


def recursion_is_bounded(bench: Bench) -> str | None:
    """Endless recursion is a RecursionError in the program."""
    result = bench.main("def again(n):\n    return again(n + 1)\nagain(0)")
    return _expect(result, RunStatus.RAISED, "RecursionError")


def exits_are_errors(bench: Bench) -> str | None:
    """Leaving by SystemExit is no normal return, nor is any other way out."""
    problem = _expect(bench.main("raise SystemExit(0)"), RunStatus.RAISED, "SystemExit")
    return problem or _expect(bench.main("modules['os']._exit(0)"), RunStatus.DIED)


def crashes_are_the_programs_own(bench: Bench) -> str | None:
    """A crash of the interpreter ends the run, not the sandbox."""
    result = bench.main("modules['ctypes'].string_at(1)")
    return None if result.status in (RunStatus.DIED, RunStatus.RAISED) else result.status.value


CHECKS: tuple[Check, ...] = (
    arguments_cross_both_ways,
    numbers_come_back_as_tuples,
    entry_arguments_arrive,
    robot_errors_can_be_caught,
    robot_errors_end_a_program,
    errors_name_line_and_columns,
    calls_tell_their_place,
    odd_arguments_are_refused_inside,
    skill_calls_are_bracketed,
    a_failing_skill_is_told,
    errors_cross_skills,
    two_versions_stand_side_by_side,
    published_modules_can_be_imported,
    other_modules_cannot_be_imported,
    print_is_kept,
    random_numbers_follow_the_seed,
    sets_have_one_order,
    there_is_no_clock,
    runs_leave_nothing_behind,
    the_handler_can_end_a_run,
    calls_are_counted,
    errors_of_the_host_pass_through,
    endless_loops_are_stopped,
    long_calculations_are_stopped,
    slow_patterns_are_stopped,
    sleeping_is_not_possible,
    memory_is_bounded,
    recursion_is_bounded,
    exits_are_errors,
    crashes_are_the_programs_own,
    *ATTACKS,
)
