"""Augment ten problems of your own with any OpenAI-compatible teacher.

    python examples/augment_your_own.py --teacher qwen2.5:7b --base-url http://127.0.0.1:11434/v1

Every answer is journaled in --output, so repeating the command asks for no answer twice.
"""

import argparse

import personamath

PROBLEMS = [
    {"question": "A bakery sells 12 loaves an hour for 8 hours. How many loaves does it sell?", "answer": "96"},
    {"question": "Nia reads 15 pages a day. How many days does a book of 240 pages take her?", "answer": "16"},
    {
        "question": "A tank of 300 litres loses 4 litres an hour. How many are left after 25 hours?",
        "answer": "200",
    },
    {"question": "Three pens cost 4.50 dollars. How many dollars do seven pens cost?", "answer": "10.5"},
    {"question": "A train goes 180 km in 2.5 hours. What is its speed in km/h?", "answer": "72"},
    {"question": "What is the sum of the first 20 odd numbers?", "answer": "400"},
    {"question": "A rectangle is 14 cm by 9 cm. What is its perimeter in cm?", "answer": "46"},
    {"question": "Of 60 pupils, 35 % walk to school. How many pupils walk?", "answer": "21"},
    {"question": "A recipe for 4 people takes 600 g of rice. How many grams do 10 people need?", "answer": "1500"},
    {
        "question": "Omar has 3/4 kilograms of nuts and eats 1/3 of them. How many kilograms are left?",
        "answer": "1/2",
    },
]

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--teacher", required=True, help="model name at the endpoint")
parser.add_argument("--base-url", required=True, help="endpoint, up to and including /v1")
parser.add_argument("--output", default="runs/mine", help="run directory (default %(default)s)")
options = parser.parse_args()

rows = personamath.augment(
    PROBLEMS, teacher=options.teacher, base_url=options.base_url, output=options.output, method="persona", k1=2, k2=3
)
print(f"{len(PROBLEMS)} problems became {len(rows)} rows.")
rewritten = next((row for row in rows if row["problem"] != row["seed_problem"]), None)
if rewritten:
    print(f"\nOriginal:  {rewritten['seed_problem']}\nRewritten: {rewritten['problem']}")
