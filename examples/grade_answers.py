"""Grade answers: extract the final answer of a completion and compare it with a reference.

python examples/grade_answers.py
"""

import personamath

PAIRS = [
    # reference answer, completion
    ("40", "She sold 16 + 24 = 40 jars, so the answer is $\\boxed{40}$."),
    (r"\frac{3}{4}", r"That leaves \boxed{0.75} of the cake."),
    (r"(-\infty, 3)", r"The solution is \boxed{x < 3}."),
    ("1,250", r"The total is $\boxed{\$1250}$."),
    ("12", "It is twelve."),
]

for reference, completion in PAIRS:
    grade = personamath.grade(reference, completion)
    verdict = "correct" if grade.correct else "wrong"
    print(f"{verdict:<8} reference {reference:<14} answer {grade.answer}")

print()
print("extract:", personamath.extract(r"First \boxed{3}, finally \boxed{5}."))
print("equivalent:", personamath.equivalent("1/2", r"\frac{2}{4}"))
