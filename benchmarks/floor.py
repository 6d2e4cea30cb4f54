"""How far the client is from the floor: a bare aiohttp client that appends each answer to a file.

    python benchmarks/floor.py --problems gsm8k:train.jsonl --limit 3000 --k1 0 --k2 0

PersonaMath runs first. The floor then asks the same requests of a fresh scripted teacher on this machine, with as many
in flight; it neither grades nor retries nor remembers. Prints a Markdown table for docs/BENCHMARKS.md. The rate is that
which the teacher sees between the first request and the last answer. CPU is that of a client and its workers, start
included; memory their proportional set size, summed. The lines below the table are PersonaMath's finished run, run
again: first as it is, which is recognised, then without its dataset, which is computed from the journal. That second
one does all that the first run does but ask, so the difference is the CPU of asking.
"""

import argparse
import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from augment import REPO, SERVERS, Server, run_client, serving


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", required=True, help="gsm8k:PATH or math:PATH")
    parser.add_argument("--limit", type=int, default=3_000)
    parser.add_argument("--k1", type=int, default=0)
    parser.add_argument("--k2", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--concurrency", type=int, default=256)
    options = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="personamath-benchmark-"))
    # As an installation does: from a checkout, every run would compile the package anew where Python may not write.
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(REPO / "personamath")], check=True)
    try:
        compare(options, directory)
    finally:
        shutil.rmtree(directory)


def compare(options: argparse.Namespace, directory: Path) -> None:
    """Run PersonaMath, its finished run twice again, and the floor."""
    teacher = (SERVERS[False], "--problems", options.problems, "--latency", str(options.latency))
    with serving(*teacher) as server:
        ours, our_rate = run_client(augment(options, server.url, directory / "run")), rate(server)
        again = run_client(augment(options, server.url, directory / "run"))
        shutil.rmtree(directory / "run" / "dataset")
        rebuilt = run_client(augment(options, server.url, directory / "run"))
    requests = export_requests(directory / "run" / "journal.sqlite", bodies := directory / "bodies.jsonl")
    with serving(*teacher) as server:
        peer = REPO / "benchmarks" / "peers" / "aiohttp_peer.py"
        answers = directory / "answers.jsonl"
        floor = run_client([sys.executable, *map(str, (peer, bodies, answers, server.url, options.concurrency))])
        floor_rate = rate(server)
        assert len(answers.read_bytes().splitlines()) == requests

    print("| client | requests | requests/s | × floor | CPU s / 1,000 | × floor | peak memory |\n|---|" + "---:|" * 6)
    for name, ran, reached in (("floor", floor, floor_rate), ("PersonaMath", ours, our_rate)):
        cells = [f"{requests:,}", f"{reached:,.0f}", f"{reached / floor_rate:.2f}"]
        cells += [f"{ran.cpu_s / requests * 1000:.2f}", f"{ran.cpu_s / floor.cpu_s:.2f}", f"{ran.peak_mb:.0f} MB"]
        print(f"| {name} | {' | '.join(cells)} |")
    print(f"\nFirst run {ours.cpu_s:.1f} CPU s; run again {again.cpu_s:.2f}; from the journal {rebuilt.cpu_s:.1f}.")
    asking = ours.cpu_s - rebuilt.cpu_s
    print(f"Asking: {asking / requests * 1000:.2f} CPU s / 1,000, {asking / floor.cpu_s:.2f} × floor.")


def rate(server: Server) -> float:
    """Requests a second that a server answered, from the first request to the last answer."""
    with urllib.request.urlopen(server.url.removesuffix("/v1") + "/stats", timeout=60) as response:
        stats = json.load(response)
    return float(stats["answered"] / stats["asking_ms"] * 1000)


def augment(options: argparse.Namespace, url: str, output: Path) -> list[str]:
    """The command of PersonaMath's run."""
    command = [sys.executable, "-m", "personamath.commands.cli", "augment", "--problems", options.problems]
    command += ["--base-url", url, "--teacher", "simulated-teacher", "--limit", str(options.limit)]
    command += ["--k1", str(options.k1), "--k2", str(options.k2), "--concurrency", str(options.concurrency)]
    return [*command, "--output", str(output)]


def export_requests(journal: Path, bodies: Path) -> int:
    """Write the request bodies of a run, one a line, and return their number."""
    with sqlite3.connect(journal) as answers:
        requests = [request for (request,) in answers.execute("select request from answers order by rowid")]
    bodies.write_text("".join(f"{request}\n" for request in requests), encoding="utf-8")
    return len(requests)


if __name__ == "__main__":
    main()
