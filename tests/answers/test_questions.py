"""What the question says of the answer in a response: which of several values, a difference, a count, an option."""

from __future__ import annotations

import pytest

from libra_cli.answers import pool
from libra_cli.answers.extract import NO_ANSWER, read_answer

RABBITS = "A farmer has rabbits and chickens: 35 heads and 94 legs. How many rabbits are there?"
WINS = "How many games does Bob win?"
CAPITAL = "What is the capital of France? A. Rome B. Paris C. Berlin"
OLDER = "How many years older is Anna than her brother?"
CASES = """
So there are 12 rabbits and 23 chickens. | {RABBITS} | 12 | 1
So there are 12 rabbits and 23 chickens. | {RABBITS} | 23 | 0
So there are 23 chickens and 12 rabbits. | {RABBITS} | 12 | 1
So there are 23 chickens and 12 rabbits. | {RABBITS} | 23 | 0
So there are 12 rabbits, and 23 chickens. | How many animals are there in total? | 35 | ?
Alice wins 3 games, Bob 5. | {WINS} | 5 | 1
Alice wins 3 games, Bob 5. | {WINS} | 3 | 0
Alice wins 3 games and Bob wins 5 games. | {WINS} | 5 | 1
Alice wins 3 games and Bob wins 5 games. | {WINS} | 3 | 0
Alice wins 3 games and her brother 5. | {WINS} | 3 | ?
So of the 70 tickets, 44 were for children and 26 for adults. | How many child tickets were sold? | 44 | 1
So of the 70 tickets, 44 were for children and 26 for adults. | How many child tickets were sold? | 26 | 0
The shirt costs $20 and the hat costs $15. | How much does the hat cost? | 15 | 1
The shirt costs $20 and the hat costs $15. | How much does the hat cost? | 20 | 0
He ran 3 miles on Monday and 5 miles on Tuesday. | How far did he run on Tuesday? | 5 miles | 1
He ran 3 miles on Monday and 5 miles on Tuesday. | How far did he run on Tuesday? | 3 miles | 0
The current flows at 12 km/h and the boat's own speed is 3 km/h. | What is the speed of the current? | 3 km/h | ?
Tom has 3 apples and Jerry has 5. | How many apples does Jerry have? | 5 | 1
Tom has 3 apples and Jerry has 5. | How many apples does Jerry have? | 3 | 0
The rectangle is 4 cm wide and 9 cm long. | How long is the rectangle? | 9 cm | 1
Anna is 3 years older than her brother. | {OLDER} | 3 | 1
Anna is 4 years older than her brother. | {OLDER} | 3 | 0
Anna is 3 years older than her brother. | How old is Anna? | 3 | ?
Tom has 3 more marbles than Ben. | How many more marbles does Tom have than Ben? | 3 | 1
Tom has 2 more marbles than Ben. | How many more marbles does Tom have than Ben? | 3 | 0
Tom has 3 more marbles than Ben. | How many marbles does Tom have? | 3 | ?
Sam has 3 times as many stickers as Lee. | How many times as many stickers has Sam? | 3 | 1
Sam has 3 times as many stickers as Lee. | How many stickers has Sam? | 3 | ?
It takes 1 hour and 30 minutes. | How many minutes does it take? | 90 | 1
It takes 1 hour and 30 minutes. | How many minutes does it take? | 30 | ?
It takes 1 hour and 30 minutes. | How many hours does it take? | 1.5 | 1
It takes two and a half hours. | How many minutes does it take? | 150 | 1
It takes two and a half hours. | How many minutes does it take? | 2.5 | ?
Betty needs $5 more to buy it. | How much more money does Betty need to buy it? | 5 | 1
Betty needs $5 more to buy it. | How much more money does Betty need to buy it? | 6 | 0
There are no solutions. | How many real solutions are there? | 0 | 1
There are no solutions. | How many real solutions are there? | 2 | 0
There are no solutions. | Solve for x. | 0 | ?
She has no apples left. | How many apples does she have left? | 0 | 1
She has no apples left. | How many apples does she have left? | 4 | 0
No such integers exist. | Do there exist integers with x^2 = 2y^2 + 3? | No | 1
No such integers exist. | Do there exist integers with x^2 = 2y^2 + 3? | Yes | 0
Such integers do exist: 1 and 2. | Do there exist integers with x^2 = 2y^2 + 3? | Yes | 1
There are no such integers if x is odd. | Do there exist integers with x^2 = 2y^2 + 3? | No | ?
It is not possible. | Is it possible to tile the board? | No | 1
It is not possible. | Is it possible to tile the board? | Yes | 0
So it is possible. | Is it possible to tile the board? | Yes | 1
So it is possible. | Is it possible to tile the board? | No | 0
It is not impossible. | Is it possible to tile the board? | Yes | ?
The answer is (B). | {CAPITAL} | B | 1
Answer: B. Paris | {CAPITAL} | B | 1
Answer: A. Rome | {CAPITAL} | B | 0
Answer: B. Rome | {CAPITAL} | B | ?
The answer is (A) Paris. | {CAPITAL} | B | ?
\\boxed{{B. Rome}} | {CAPITAL} | B | ?
So I choose B, because Rome is in Italy. | {CAPITAL} | B | 1
"""


@pytest.mark.parametrize("case", [line for line in CASES.splitlines() if line])
def test_the_question_decides(case):
    case = case.format(RABBITS=RABBITS, WINS=WINS, OLDER=OLDER, CAPITAL=CAPITAL)
    response, question, reference, label = (part.strip() for part in case.split(" | "))
    found = read_answer(response, reference, None, question)
    if found.answer is None:
        decided = False if found.reason == NO_ANSWER else None
    else:
        decided = pool.decide(reference, found.answer).equal
        decided = None if found.reason and not decided else decided
    assert decided is {"1": True, "0": False, "?": None}[label], found
