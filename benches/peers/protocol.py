"""How a program that is timed is asked, on both sides of the pipe. Runs on Python 3.9 as well.

A program is started with the folder of a model. It then reads one question a line,

    TASK ROWS BACKGROUND SECONDS RESULT

does the task on the first ROWS rows against the first BACKGROUND background rows, writes what came out to the file RESULT
(f64, little-endian) and answers with one line of JSON: `first`, the seconds of the first call, in which whatever is kept
between calls is made; `seconds`, the mean of further calls until SECONDS have gone, or for rows one by one the median;
and `times`. A first call of a Python peer that takes longer than two seconds is its own measurement. What went wrong stands in `error`.
"""

import json
import os
import statistics
import subprocess
import sys
import time

import numpy as np


LONG = 2.0
"""Seconds; what a first call alone has to prepare weighs little in such a call."""


def threads(n):
    """The environment of a program with that many threads."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS")
    return {**os.environ, **{name: str(n) for name in names}, "XAI_PEER_THREADS": str(n), "PYTHONWARNINGS": "ignore"}


def n_threads():
    return int(os.environ.get("XAI_PEER_THREADS", "1"))


class Program:
    """A program that runs beside others and waits until it is asked."""

    def __init__(self, command, folder, n):
        self.process = subprocess.Popen(
            [*map(str, command), str(folder)], env=threads(n), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, task, rows, background, seconds, result):
        self.process.stdin.write(f"{task} {rows} {background} {seconds} {result}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            return {"error": f"the program ended with {self.process.wait()}"}
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def read_table(path, kind=np.float32):
    """A table of comma-separated numbers under a line of names."""
    return np.loadtxt(path, kind, delimiter=",", skiprows=1, ndmin=2)


def clocked(work):
    start = time.perf_counter()
    done = work()
    return time.perf_counter() - start, done


def measure(work, least, values=np.asarray):
    """The work once, which gives the values, and again until `least` seconds have gone."""
    first, done = clocked(work)
    if first > LONG:
        return {"first": first, "seconds": first, "times": 1}, values(done)
    spent = times = 0
    while times == 0 or spent < least:
        spent += clocked(work)[0]
        times += 1
    return {"first": first, "seconds": spent / times, "times": times}, values(done)


def one_by_one(work, given):
    """The median over single rows, prepared outside the clock."""
    first, _ = clocked(lambda: work(given[0]))
    turns = [clocked(lambda: work(one)) for one in given]
    seconds = statistics.median(spent for spent, _ in turns)
    return {"first": first, "seconds": seconds, "times": len(given)}, np.concatenate([done for _, done in turns])


def serve(answer):
    """Answers questions until there are none; `answer(task, rows, background, seconds)` gives a report and values."""
    questions, out = sys.stdin, os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # libraries that print do not get between the answers
    for question in questions:
        task, rows, background, seconds, result = question.split()
        try:
            report, values = answer(task, int(rows), int(background), float(seconds))
            np.ascontiguousarray(values, "<f8").tofile(result)
        except Exception as error:  # the caller prints it and goes on without this peer
            report = {"error": f"{type(error).__name__}: {error}"}
        out.write(json.dumps(report) + "\n")
        out.flush()
