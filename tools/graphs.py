"""Who leads to whom."""

from collections.abc import Collection, Mapping


def circles(graph: Mapping[str, Collection[str]]) -> list[list[str]]:
    """Returns the groups of nodes that reach each other."""
    reached = {node: reach(graph, node) for node in graph}
    groups = {
        tuple(sorted(other for other in reached[node] if node in reached.get(other, ())))
        for node in graph
        if node in reached[node]
    }
    return [list(group) for group in sorted(groups)]


def reach(graph: Mapping[str, Collection[str]], start: str) -> set[str]:
    """Returns all that `start` leads to, itself only if there is a way back."""
    seen: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        node = waiting.pop()
        if node not in seen:
            seen.add(node)
            waiting += graph.get(node, ())
    return seen


def reach_with(
    graph: Mapping[str, Collection[str]], start: str, brought: Mapping[str, str]
) -> set[str]:
    """Returns the nodes that those reached from `start` bring, and what these bring in turn.

    Args:
      graph: the nodes that each node leads to.
      start: counts as reached.
      brought: what a node brings, for those that bring anything.
    """
    found: set[str] = set()
    while True:
        reached = reach({**graph, start: {*graph[start], *found}}, start) | {start}
        more = {brought[node] for node in reached if node in brought}
        if more == found:
            return found
        found = more
