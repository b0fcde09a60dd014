# SPDX-License-Identifier: MIT
# tap.py CONFIG NAMES RESULTS LOG UNIMPLEMENTED: what the runner found, as TAP: a line for each test that was run, and
# in comments how many were not, by reason.
import collections
import fnmatch
import json
import re
import sys

config, names, results = (json.load(open(path)) for path in sys.argv[1:4])
log = open(sys.argv[4], errors="replace").read()
try:
    unimplemented = collections.Counter(open(sys.argv[5]).read().splitlines())
except FileNotFoundError:
    unimplemented = collections.Counter()

said = dict(re.findall(r"^FAILED \((.*?)\)\n(.*?)(?=^(?:FAILED|PASSED|UNIMPLEMENTED) \(|\Z)", log, re.S | re.M))
tests = {name: result["actual"] for name, result in results["tests"].items()}
ran = sorted(name for name, actual in tests.items() if actual != "SKIP")
for number, name in enumerate(ran, 1):
    ok = tests[name] == "PASS"
    print(f"{'ok' if ok else 'not ok'} {number} - {name}")
    if not ok:
        print("".join(f"# {line}\n" for line in said.get(name, tests[name]).splitlines()[:20]), end="")

disabled = collections.Counter()
for name in set(names["tests"]) - set(tests):
    disabled[next(why for glob, why in config["DisabledTests"].items() if fnmatch.fnmatchcase(name, glob))] += 1

passed = sum(actual == "PASS" for actual in tests.values())
print(f"# {len(names['tests'])} tests: {len(ran)} run, {passed} passed, {len(ran) - passed} failed, "
      f"{len(tests) - len(ran)} unimplemented, {sum(disabled.values())} disabled")
for text, counter in (("unimplemented", unimplemented), ("disabled", disabled)):
    for reason, count in counter.most_common():
        print(f"# {text}: {count:5} {reason}")
print(f"1..{len(ran)}")
sys.exit(passed != len(ran))
