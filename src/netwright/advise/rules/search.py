"""Search over many designs (N)."""

from netwright.advise.rules.engine import Rule

SEARCH = (
    Rule(
        "N1",
        "Zero-cost proxies are inconsistent; the parameter count is among the best of them. Use them as a "
        "filter within one budget only, and report their rank correlation.",
        "arXiv:2210.03230, arXiv:2008.03064, arXiv:2104.01177",
        "V",
        value={"spearman": {"params": 0.85, "macs": 0.82, "naswot": 0.77, "snip": 0.60, "synflow": 0.09}},
    ),
    Rule(
        "N2",
        "At a matched budget random search with early stopping is the baseline that a search result needs beside it.",
        "arXiv:1902.07638, arXiv:1912.12522",
        "R",
    ),
    Rule(
        "N3",
        "Measure latency on the device: FLOPs rank it poorly across families.",
        "arXiv:2103.10584",
        "R",
        when={"latency_limited": True},
        because="Your latency limit is met by measuring on this machine, not by counting FLOPs.",
    ),
    Rule(
        "N4",
        "Successive halving: keep a third, give at least 1/27 of the full time, check that early ranks "
        "agree with late.",
        "arXiv:1810.05934",
        "R",
        value={"eta": 3, "least_share": 1 / 27},
        because="Candidates compete by successive halving: the better third goes on.",
    ),
)
