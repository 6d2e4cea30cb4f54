"""How many words two texts differ in."""

from collections.abc import Sequence


def edit_distance(one: Sequence[str], other: Sequence[str]) -> int:
    """Levenshtein distance: the fewest words to insert, delete or replace that make one text of the other.

    A whole column of the table at a time, as the bits of integers (Myers 1999, in Hyyrö's form of 2003): `up` and
    `down` hold where a value is one more or one less than the value above it, `right` and `left` than the value before.
    """
    if not one:
        return len(other)
    places: dict[str, int] = {}
    for place, word in enumerate(one):
        places[word] = places.get(word, 0) | 1 << place
    last, mask = 1 << len(one) - 1, (1 << len(one)) - 1
    up, down, distance = mask, 0, len(one)
    for word in other:
        equal = places.get(word, 0)
        diagonal = (((equal & up) + up) ^ up) | equal | down
        right, left = (down | ~(diagonal | up)) & mask, up & diagonal
        distance += bool(right & last) - bool(left & last)
        right = right << 1 | 1
        up, down = (left << 1 | ~(diagonal | right)) & mask, right & diagonal & mask
    return distance
