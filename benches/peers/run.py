"""Times this toolkit beside other libraries: same models, same rows, as many threads each, in turns.

    python3.13 -m venv env && env/bin/pip install -r requirements.txt
    env/bin/python run.py                      # about ten minutes; writes results.md and prints a line for each task
    env/bin/python run.py --only values --model adult-100x6 --rounds 9
    env/bin/python run.py --tiny               # a minute: does everything run?

Builds our program `time` and the Rust peers (`rust/`, a workspace of its own), makes the models (`models.py`) and starts
every program once for each model. Then everyone who takes part in a contest (`contests.py`) works in turn, once a round,
on the same files. Reading files and building what a user would keep (a DMatrix, an explainer) does not count on either
side; what is made at the first call and kept is told apart as the first call's time (in results.json). The ratio is
peer's median / our median; beside it stands the smallest and the largest of the rounds. The results must agree, row by
row, or the script stops at the end with an error.

FastTreeSHAP needs a Python of its own, told by --fasttreeshap:

    python3.9 -m venv fts && fts/bin/pip install setuptools==58.1.0 wheel Cython==3.3.1 numpy==1.22.4
    fts/bin/pip install --no-build-isolation -r requirements-fasttreeshap.txt
"""

import argparse
import importlib.metadata
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile

import numpy as np

import models
from contests import CONTESTS, OVERHEAD, SLOW, peer_name, tolerance
from protocol import Program

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
RUST_TARGET = TARGET / "peers"
TINY = 3
MODELS = [name for name in models.SHAPES if name != "tiny"] + ["network"]


def build(arguments):
    """Both sides' compiled programs."""
    ours = ["cargo", "build", "--release", "--quiet", "-p", "xai-benches", "--bin", "time"]
    subprocess.run(ours, check=True, cwd=ROOT)
    if "rust" not in arguments.without:
        peers = ["cargo", "build", "--release", "--quiet", "--locked", "--target-dir", str(RUST_TARGET)]
        subprocess.run(peers, check=True, cwd=HERE / "rust")


class Programs:
    """Everyone who can be asked about one model; started when first asked."""

    def __init__(self, folder, arguments):
        self.folder, self.arguments, self.running = folder, arguments, {}
        self.results = pathlib.Path(tempfile.mkdtemp(prefix="xai-peers-"))

    def of(self, task, ours):
        if ours:
            return "ours", [TARGET / "release" / "time"]
        if task.startswith("fasttreeshap"):
            return "fasttreeshap", [self.arguments.fasttreeshap, HERE / "fasttreeshap_peer.py"]
        if task.split("-")[0] in ("hessboost", "treeshap"):
            return "rust", [RUST_TARGET / "release" / "rust-peers"]
        return "python", [sys.executable, HERE / "python_peers.py"]

    def ask(self, task, ours, rows, background):
        key, command = self.of(task, ours)
        if key in self.arguments.without or (key == "fasttreeshap" and not self.arguments.fasttreeshap):
            return {"error": "left out"}, None
        if key not in self.running:
            self.running[key] = Program(command, self.folder, self.arguments.threads)
        result = self.results / f"{key}-{task}.f64"
        report = self.running[key].ask(task, rows, background, self.arguments.seconds, result)
        return report, np.fromfile(result, "<f8") if "error" not in report else None

    def close(self):
        for program in self.running.values():
            program.close()


def hold(contest, name, programs, arguments, n, n_background):
    """Rounds of one contest: the reports of each task that works, and the values of each."""
    peers = [task for task in contest.peers if arguments.slow or name not in SLOW.get(task, ())]
    asked = [(task, True) for task in contest.ours] + [(task, False) for task in peers]
    reports, values, errors = {}, {}, {}
    for _ in range(arguments.rounds):
        for task, ours in asked:
            if task in errors:
                continue
            report, found = programs.ask(task, ours, n, n_background)
            if "error" in report:
                errors[task] = report["error"]
            else:
                reports.setdefault(task, []).append(report)
                values.setdefault(task, found)
    return reports, values, errors


def lines_of(contest, name, programs, arguments, failures):
    n, n_background = contest.rows.get(name, 100), contest.background
    if arguments.tiny:
        n, n_background = min(n, TINY), min(n_background, 2 * TINY)
    reports, values, errors = hold(contest, name, programs, arguments, n, n_background)
    for task, error in errors.items():
        if error != "left out":
            print(f"  {name} {task}: {error}", flush=True)
    found = []
    for ours in (task for task in contest.ours if task in reports):
        for peer in (task for task in contest.peers if task in reports):
            line = compare(contest, name, ours, peer, reports, values, n, n_background, failures)
            found.append(line)
            print(f"  {name} {contest.name}: {shown(line)}", flush=True)
    return found


def compare(contest, name, ours, peer, reports, values, n, n_background, failures):
    a, b = values[ours], values[peer]
    apart = None
    if contest.same:
        apart = float(np.abs(a - b).max() / np.abs(b).max()) if a.shape == b.shape else float("inf")
        if not apart <= tolerance(ours, peer):
            failures.append(f"{name} {contest.name}: {ours} and {peer} lie {apart:.1e} of the largest value apart")
    seconds = [[report["seconds"] for report in reports[task]] for task in (ours, peer)]
    ratios = [theirs / mine for mine, theirs in zip(*seconds)]
    medians = [statistics.median(one) for one in seconds]
    return {
        "model": name, "contest": contest.name, "what": contest.what.format(n=f"{n:,}", b=f"{n_background:,}"),
        "ours": ours, "peer": peer, "ours_seconds": seconds[0], "peer_seconds": seconds[1],
        "ours_first": reports[ours][0]["first"], "peer_first": reports[peer][0]["first"],
        "ours_median": medians[0], "peer_median": medians[1], "ratio": medians[1] / medians[0],
        "ratio_low": min(ratios), "ratio_high": max(ratios), "apart": apart,
    }  # fmt: skip


def overhead(programs, arguments):
    """What estimators add to the calls of the model, on either side."""
    contest, ours, peers = OVERHEAD
    rows, background = (1, 2 * TINY) if arguments.tiny else (2, 100)
    asked, spent = [(task, True) for task in ours] + [(task, False) for task in peers], {}
    for _ in range(arguments.rounds):
        for task, mine in asked:
            report, _ = programs.ask(task, mine, rows, background)
            if "error" not in report:
                spent.setdefault(task, []).append(report["seconds"])
            elif report["error"] != "left out":
                print(f"  {contest} {task}: {report['error']}", flush=True)
                asked.remove((task, mine))
    found = []
    for side, bare, tasks in (("ours", "bare", ours), ("peer", "numpy-bare", peers)):
        for task in tasks:
            if bare in spent and task in spent and task != bare:
                ratios = [a / b for a, b in zip(spent[task], spent[bare])]
                found.append({"side": side, "task": task, "bare": statistics.median(spent[bare]),
                              "seconds": statistics.median(spent[task]), "overhead": statistics.median(ratios),
                              "low": min(ratios), "high": max(ratios)})  # fmt: skip
                print(f"  {contest} {task}: {found[-1]['overhead']:.2f} of the bare calls", flush=True)
    return found


def readable(seconds):
    for unit, scale in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if seconds * scale >= 1.0:
            return f"{seconds * scale:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def shown(line):
    return (
        f"{line['ours']} {readable(line['ours_median'])}, {line['peer']} {readable(line['peer_median'])}, "
        f"ratio {line['ratio']:.2f} ({line['ratio_low']:.2f} to {line['ratio_high']:.2f})"
    )


def markdown(about, found, overheads, arguments):
    lines = [header(arguments), "", *summary(found)]
    for name, text in about.items():
        here = [line for line in found if line["model"] == name]
        if not here:
            continue
        lines += [f"### {name}", "", f"{text}.", ""]
        lines += ["| what | ours | peer | ours | peer's | peer / ours | apart | rerun: `run.py` |"]
        lines += ["|---|---|---|--:|--:|--:|--:|---|"]
        for line in here:
            ratio = f"{line['ratio']:.2f} ({line['ratio_low']:.2f} to {line['ratio_high']:.2f})"
            apart = "" if line["apart"] is None else f"{line['apart']:.0e}"
            lines.append(
                f"| {line['what']} | `{line['ours']}` | {peer_name(line['peer'])} | {readable(line['ours_median'])} | "
                f"{readable(line['peer_median'])} | {ratio} | {apart} | `--model {name} --only {line['contest']}` |"
            )
        lines.append("")
    if overheads:
        lines += ["### network", "", f"{about['network']}; 2,048 coalitions × 100 background rows, 2 rows explained.", ""]
        lines += ["| whose | what | bare calls | explained | overhead |", "|---|---|--:|--:|--:|"]
        for line in overheads:
            whose = "ours" if line["side"] == "ours" else peer_name(line["task"])
            cost = f"{line['overhead']:.2f} ({line['low']:.2f} to {line['high']:.2f})"
            lines.append(
                f"| {whose} | `{line['task']}` | {readable(line['bare'])} | {readable(line['seconds'])} | {cost} |"
            )
        lines.append("")
    return "\n".join(lines)


def summary(found):
    """For each contest and model how many times as fast we are as the fastest peer, beside what we want."""
    names = list(dict.fromkeys(line["model"] for line in found))
    lines = ["### How many times as fast as the fastest peer", ""]
    lines += [f"| what | wanted | {' | '.join(names)} |", f"|---|--:|{'--:|' * len(names)}"]
    for contest in CONTESTS:
        cells = []
        for name in names:
            peers = [line for line in found if (line["model"], line["contest"]) == (name, contest.name)]
            nearest = min(peers, key=lambda line: line["ratio"], default=None)
            cells.append(f"{nearest['ratio']:.2f} ({peer_name(nearest['peer'])})" if nearest else "")
        if any(cells):
            lines.append(f"| `{contest.name}` | {contest.bar:g} | {' | '.join(cells)} |")
    return [*lines, ""] if len(lines) > 4 else []


def header(arguments):
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout
    packages = ("xgboost", "shap", "shapiq", "woodelf-explainer", "lime", "scikit-learn", "numpy")
    versions = [f"{name} {importlib.metadata.version(name)}" for name in packages if installed(name)]
    if arguments.fasttreeshap:
        versions.append("fasttreeshap 0.1.6")
    versions += [] if "rust" in arguments.without else ["hessboost 0.4.6", "treeshap 0.1.0"]
    threads = "one thread" if arguments.threads == 1 else f"{arguments.threads} threads"
    return (
        f"{cpu()}, {threads}; commit {commit.strip() or 'unknown'}; {', '.join(versions)}; Python "
        f"{platform.python_version()}.\nMedians of {arguments.rounds} turns of each side; in brackets the smallest and the "
        "largest ratio of one round. Apart: the largest difference of the results, as a share of the largest value."
    )


def installed(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def cpu():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if os.path.exists("/proc/cpuinfo") else []:
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [contest.name for contest in CONTESTS] + [OVERHEAD[0]]
    parser.add_argument("--data", type=pathlib.Path, default=ROOT.parent / "shared" / "data" / "tabular",
                        help="folder of adult-train.csv, adult-test.csv and california-housing.csv")  # fmt: skip
    parser.add_argument("--models", type=pathlib.Path, default=TARGET / "peer-models",
                        help="where models are kept between runs")  # fmt: skip
    parser.add_argument("--model", action="append", choices=MODELS, help="all when not given")
    parser.add_argument("--only", action="append", choices=names, help="all when not given")
    parser.add_argument("--without", action="append", default=[], choices=["rust", "python", "fasttreeshap"])
    parser.add_argument("--fasttreeshap", metavar="PYTHON", help="the interpreter that has fasttreeshap")
    parser.add_argument("--threads", type=int, default=1, help="of each side")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each side")
    parser.add_argument("--seconds", type=float, default=0.3, help="the least time of one turn")
    parser.add_argument("--output", type=pathlib.Path, help="Markdown, and a .json beside it; default results.md here")
    parser.add_argument("--slow", action="store_true", help="also peers that take minutes on some of the models")
    parser.add_argument("--no-build", action="store_true", help="take both sides' programs as they are")
    parser.add_argument("--prepare", action="store_true", help="build and make the models, and stop")
    parser.add_argument("--tiny", action="store_true", help="a tiny model and few rows, to see that everything runs")
    arguments = parser.parse_args()
    if arguments.tiny:
        arguments.rounds, arguments.seconds, arguments.model = 1, 0.0, ["tiny", "network"]
    return arguments


def main():
    arguments = parse()
    if not arguments.no_build:
        build(arguments)
    about, found, overheads, failures = {}, [], [], []
    for name in arguments.model or MODELS:
        folder = arguments.models / name
        about[name] = models.prepare(name, arguments.data, folder)
        print(f"{name}: {about[name]}", flush=True)
        if arguments.prepare:
            continue
        programs = Programs(folder, arguments)
        for contest in [] if name == "network" else CONTESTS:
            named = name == "tiny" or name in contest.rows or (arguments.model and arguments.only)
            if named and (not arguments.only or contest.name in arguments.only):
                found += lines_of(contest, name, programs, arguments, failures)
        if name == "network" and (not arguments.only or OVERHEAD[0] in arguments.only):
            overheads = overhead(programs, arguments)
        programs.close()
    if arguments.prepare:
        return
    output = arguments.output or (HERE / "results.md" if not arguments.tiny else pathlib.Path(os.devnull))
    output.write_text(markdown(about, found, overheads, arguments))
    if output.suffix == ".md":
        output.with_suffix(".json").write_text(json.dumps({"lines": found, "overheads": overheads}, indent=1))
    if failures:
        sys.exit("not the same work:\n" + "\n".join(failures))


if __name__ == "__main__":
    main()
