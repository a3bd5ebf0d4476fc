"""Open a library, list its skills, and run one of them on a scene of your choice.

    python examples/use_the_library.py [HOME]

Without HOME it is the home that the command `voyager` uses; `voyager paths` prints it.
"""

import sys

from skill_store import Library
from voyager.locations import Locations

home = sys.argv[1] if len(sys.argv) > 1 else Locations.find().home

with Library.open(home) as library:  # reading needs no lock and never waits for a learner
    entries = library.entries()
    for entry in entries:
        calls = f", calls {', '.join(entry.callees)}" if entry.callees else ""
        bound = "no bound yet" if entry.bound is None else f"at least {entry.bound:.1%}"
        print(f"{entry.name:12} {entry.goal:32} {entry.k}/{entry.n}, {bound}{calls}")
    if not entries:
        print("nothing learned yet; try: voyager learn 'lifted(block)' --param block=block")
        sys.exit()
    skill = library.get(entries[0].name)

# The seed draws the scene and binds the parameters; a keyword binds one by hand.
episode = skill.run(seed=7)

print(f"\n{skill.name}({', '.join(f'{k}={v}' for k, v in episode.binding.items())})")
for call in episode.calls:
    result = call.error["type"] if call.error else call.result
    print(f"  {call.time:5.2f} s  {call.skill}:{call.line}  {call.name} -> {result}")
print(f"{episode.outcome.value}, margin {episode.margin}")
for report in episode.reports:
    print(f"  {report.text}: {report.missing or 'holds'}")
