"""What the question says of the answer in a response: which of several values, a difference, a count, an option."""

from __future__ import annotations

import pytest

from libra_cli.answers.extraction.extract import NO_ANSWER, read_answer
from libra_cli.answers.process import pool
from libra_cli.answers.sentences.extracted import OTHER_ANSWER

RABBITS = "A farmer has rabbits and chickens: 35 heads and 94 legs. How many rabbits are there?"
WINS = "How many games does Bob win?"
CAPITAL = "What is the capital of France? A. Rome B. Paris C. Berlin"
OLDER = "How many years older is Anna than her brother?"
CASES = """
Der Film dauert 1 Stunde und 45 Minuten. | Wie viele Minuten dauert der Film? | 105 | 1
Der Film dauert 1 Stunde und 35 Minuten. | Wie viele Minuten dauert der Film? | 105 | 0
Der Film dauert anderthalb Stunden. | Wie viele Minuten dauert der Film? | 90 | 1
Le cours dure 1 heure et 15 minutes. | Combien de minutes dure le cours ? | 75 | 1
La caja pesa 2,5 kg. | ¿Cuántos gramos pesa la caja? | 2500 | 1
La caja pesa 2,5 kg. | ¿Cuántos gramos pesa la caja? | 250 | 0
Урок длится три четверти часа. | Сколько минут длится урок? | 45 | 1
Пакет весит полтора килограмма. | Сколько граммов весит пакет? | 1500 | 1
Das Heft kostet 3 Euro und 75 Cent. | Wie viel kostet das Heft? | 3.75 | 1
Das Heft kostet 3 Euro und 57 Cent. | Wie viel kostet das Heft? | 3.75 | 0
The pen costs 2 dollars and 40 cents. | How much does the pen cost in dollars? | 2.4 | 1
The pen costs 2 dollars and 4 cents. | How much does the pen cost in dollars? | 2.4 | 0
No cookies are left. | How many cookies are left? | 0 | 1
They ate all 12 cookies, so none are left. | How many cookies are left? | 0 | 1
There aren't any cookies left. | How many cookies are left? | 0 | 1
There aren't any cookies left. | How many cookies are left? | 3 | 0
Nobody was injured. | How many players were injured? | 0 | 1
Nobody was injured. | How many players were injured? | 2 | 0
There is nothing left in the jug. | How much milk remains? | 0 | 1
There isn't much left in the jug. | How much milk remains? | 0 | 0
He doesn't have to read any more pages. | How many pages does he still have to read? | 0 | 1
He has not read any. | How many pages does he still have to read? | 0 | 0
Es sind keine Kekse übrig. | Wie viele Kekse sind übrig? | 0 | 1
Es sind keine Kekse übrig. | Wie viele Kekse sind übrig? | 4 | 0
Es ist nichts übrig. | Wie viele Kekse sind übrig? | 0 | 1
Il ne reste aucun biscuit. | Combien de biscuits reste-t-il ? | 0 | 1
Il ne reste plus de biscuits. | Combien de biscuits reste-t-il ? | 0 | 1
No queda ninguna galleta. | ¿Cuántas galletas quedan? | 0 | 1
No quedan galletas. | ¿Cuántas galletas quedan? | 0 | 1
Non resta nessun biscotto. | Quanti biscotti restano? | 0 | 1
Não sobra nenhum biscoito. | Quantos biscoitos sobram? | 0 | 1
Печений не осталось. | Сколько печений осталось? | 0 | 1
Не осталось ни одного печенья. | Сколько печений осталось? | 0 | 1
Nie zostało żadne ciastko. | Ile ciastek zostało? | 0 | 1
Er zijn geen koekjes over. | Hoeveel koekjes zijn er over? | 0 | 1
没有剩下饼干。 | 还剩几块饼干？ | 0 | 1
一块也没剩。 | 还剩几块饼干？ | 0 | 1
クッキーは残っていません。 | クッキーは何枚残っていますか。 | 0 | 1
남은 쿠키가 없습니다. | 쿠키가 몇 개 남았습니까? | 0 | 1
The test found no errors. | How many errors did the test find? | 0 | 1
The test did not find any errors. | How many errors did the test find? | 0 | 1
The test did not find any errors. | How many errors did the test find? | 1 | 0
The test did not find many errors. | How many errors did the test find? | 0 | 0
It never rained. | How many days did it rain? | 0 | 0
None of the students were absent. | How many students were absent? | 0 | 1
Not all students were present. | How many students were absent? | 0 | 0
The equation doesn't have any real solutions. | How many solutions does the equation have? | 0 | 1
He keeps nothing. | How many cards does he keep? | 0 | 1
Niemand fehlt. | Wie viele Schüler fehlen? | 0 | 1
Personne n'est absent. | Combien d'élèves sont absents ? | 0 | 1
Aucun élève n'est absent. | Combien d'élèves sont absents ? | 2 | 0
No falta nadie. | ¿Cuántos alumnos faltan? | 0 | 1
Non resta nessun posto. | Quanti posti restano? | 0 | 1
Non restano molti posti. | Quanti posti restano? | 0 | 0
Свободных мест нет. | Сколько мест свободно? | 0 | 1
Свободных мест нет. | Сколько мест свободно? | 4 | 0
教室里没有人。 | 教室里还有几个人？ | 0 | 1
教室里没有人说话，但有5个人。 | 教室里还有几个人？ | 0 | 0
Iris borrowed $60, paid back $35, and owes $25. | How much does Iris owe? | 25 | 1
Iris borrowed $60, paid back $35, and owes $25. | How much does Iris owe? | 35 | 0
The length is 9 and the width is 6. | What is the width? | 6 | 1
The length is 9 and the width is 6. | What is the width? | 9 | 0
The garden is 9 m long and 6 m wide. | What is the width of the garden? | 6 | 1
The side of the square is 7 and its area is 49. | What is the area of the square? | 49 | 1
The side of the square is 7 and its area is 49. | What is the area of the square? | 7 | 0
Mia bought 10 apples and ate 2. | How many apples did Mia buy? | 10 | 1
Mia bought 10 apples and ate 2. | How many apples did Mia buy? | 2 | 0
Mia bought 10 apples and ate 2, so she has 8. | How many apples does Mia have? | 8 | 1
Tim raised $40 and Pam raised $50, for a total of $90. | How much money did they raise? | 90 | 1
5 tickets cost $40, so one ticket costs $8. | How much is one ticket? | 8 | 1
Mark is 14. | Mark is 10. His sister Lea is 4 years older. How old is Lea? | 14 | 0
His sister is 14. | Mark is 10. His sister Lea is 4 years older. How old is Lea? | 14 | 1
Lea is 14, Mark is 10. | Mark is 10. His sister Lea is 4 years older. How old is Lea? | 14 | 1
Lea is 14, Mark is 10. | Mark is 10. His sister Lea is 4 years older. How old is Lea? | 10 | 0
The cat weighs 4 kg. | Nick's dog weighs 12 kg. How much does Rick's cat weigh if it weighs a third? | 4 | 1
The big hall has 300 seats, 100 more than the small hall. | How many seats are in the big hall? | 300 | 1
The big hall has 300 seats, 100 more than the small hall. | How many seats are in the big hall? | 100 | 0
The big hall has 300 more seats than the small hall. | How many seats are in the big hall? | 300 | 0
The bus is 60 km/h faster than the bike. | How fast is the bus? | 60 | 0
The team scored 80 points, fewer than last year. | How many points did the team score? | 80 | 1
The team scored 80 points, 5 fewer than last year. | How many points did the team score? | 80 | 1
Nadia mailed 22 stamps and has 14 left. | How many stamps does Nadia have left? | 14 | 1
Nadia mailed 22 stamps and has 14 left. | How many stamps does Nadia have left? | 22 | 0
She used up 22 stamps, so 14 stamps remain. | How many stamps does Nadia have left? | 14 | 1
She used up 22 stamps, so 14 stamps remain. | How many stamps does Nadia have left? | 22 | 0
17 ÷ 7 = 2 R 3 | What is the remainder when 17 is divided by 7? | 3 | 1
17 ÷ 7 = 3 R 2 | What is the remainder when 17 is divided by 7? | 3 | 0
17 = 2·7 + 3 | What is the remainder when 17 is divided by 7? | 3 | 1
The quotient is 3 with remainder 2. | What is the remainder when 17 is divided by 7? | 3 | 0
There are 15 tables and 120 chairs in the hall. | How many chairs are in the hall? | 120 | 1
There are 15 tables and 120 chairs in the hall. | How many chairs are in the hall? | 15 | 0
Omar paid $80 for the jacket and $35 for the cap. | How much did Omar pay for the jacket? | 80 | 1
Omar paid $80 for the jacket and $35 for the cap. | How much did Omar pay for the jacket? | 35 | 0
Ines cycled 12 km on Saturday and 18 km on Sunday. | How far did Ines cycle on Sunday? | 18 | 1
Ines cycled 12 km on Saturday and 18 km on Sunday. | How far did Ines cycle on Sunday? | 12 | 0
19 passengers were already aboard, and 11 boarded at the second stop. | How many boarded at the second stop? | 11 | 1
19 passengers were already aboard, and 11 boarded at the second stop. | How many boarded at the second stop? | 19 | 0
Lukas scored 4 goals and Marta scored 7. | How many goals did Lukas score? | 4 | 1
Lukas scored 4 goals and Marta scored 7. | How many goals did Lukas score? | 7 | 0
Marta scored 7 goals, Lukas 4. | How many goals did Lukas score? | 4 | 1
Marta scored 7 goals, Lukas 4. | How many goals did Lukas score? | 7 | 0
Lukas scored 4 goals. Marta scored 7 goals. | How many goals did Lukas score? | 4 | 1
Lukas scored 4 goals. Marta scored 7 goals. | How many goals did Lukas score? | 7 | 0
27 lights are on and 13 are off. | How many of the 40 lights are off? | 13 | 1
27 lights are on and 13 are off. | How many of the 40 lights are off? | 27 | 0
The tickets cost $24 altogether, and each child pays $6. | How much does each child pay? | 6 | 1
The tickets cost $24 altogether, and each child pays $6. | How much does each child pay? | 24 | 0
Petra is 31 now and will be 36 in 5 years. | How old is Petra now? | 31 | 1
Petra is 31 now and will be 36 in 5 years. | How old is Petra now? | 36 | 0
Rosa sells 8 eggs a day and 56 a week. | How many eggs does Rosa sell each week? | 56 | 1
The box has 21 beads, 9 of them green. | How many green beads are there? | 9 | 1
The box has 21 beads, 9 of them green. | How many green beads are there? | 21 | 0
Lena verschenkt 6 Bonbons und hat noch 9. | Wie viele Bonbons hat Lena noch? | 9 | 1
Lena verschenkt 6 Bonbons und hat noch 9. | Wie viele Bonbons hat Lena noch? | 6 | 0
In der Klasse sind 13 Mädchen und 11 Jungen. | Wie viele Mädchen sind in der Klasse? | 13 | 1
In der Klasse sind 13 Mädchen und 11 Jungen. | Wie viele Mädchen sind in der Klasse? | 11 | 0
Pablo perdió 4 lápices y ahora tiene 8. | ¿Cuántos lápices tiene Pablo ahora? | 8 | 1
Pablo perdió 4 lápices y ahora tiene 8. | ¿Cuántos lápices tiene Pablo ahora? | 4 | 0
Zoé a lu 3 livres en avril et 5 livres en mai. | Combien de livres Zoé a-t-elle lus en mai ? | 5 | 1
Zoé a lu 3 livres en avril et 5 livres en mai. | Combien de livres Zoé a-t-elle lus en mai ? | 3 | 0
Marco ha 4 mele e Sara ne ha 6. | Quante mele ha Sara? | 6 | 1
Marco ha 4 mele e Sara ne ha 6. | Quante mele ha Sara? | 4 | 0
Kuba ma 9 monet, a Ola ma 15. | Ile monet ma Ola? | 15 | 1
Петя съел 4 конфеты, и у него осталось 6. | Сколько конфет осталось у Пети? | 6 | 1
Петя съел 4 конфеты, и у него осталось 6. | Сколько конфет осталось у Пети? | 4 | 0
Bia vendeu 5 selos e agora tem 12. | Quantos selos Bia tem agora? | 12 | 1
Sem verliest 3 knikkers en heeft er nog 7. | Hoeveel knikkers heeft Sem nog? | 7 | 1
小明用了5支铅笔，还剩7支。 | 小明还剩多少支铅笔？ | 7 | 1
小明用了5支铅笔，还剩7支。 | 小明还剩多少支铅笔？ | 5 | 0
男の子は15人、女の子は12人です。 | 女の子は何人ですか。 | 12 | 1
男の子は15人、女の子は12人です。 | 女の子は何人ですか。 | 15 | 0
남학생은 15명이고 여학생은 12명입니다. | 여학생은 몇 명입니까? | 12 | 1
Leo gets 24 nuts. | Ann and Leo share 40 nuts; Ann gets 8 more. How many nuts does Ann get? | 24 | 0
Ann gets 24 nuts. | Ann and Leo share 40 nuts; Ann gets 8 more. How many nuts does Ann get? | 24 | 1
She gets 24 nuts. | Ann and Leo share 40 nuts; Ann gets 8 more. How many nuts does Ann get? | 24 | 1
Joe is 24 years old. | What is Kim's age if Joe is 12 and Kim is twice as old? | 24 | 0
Kim is 24 years old. | What is Kim's age if Joe is 12 and Kim is twice as old? | 24 | 1
Felix hat 16 Karten. | Felix hat 8 Karten, Nina doppelt so viele. Wie viele Karten hat Nina? | 16 | 0
Nina hat 16 Karten. | Felix hat 8 Karten, Nina doppelt so viele. Wie viele Karten hat Nina? | 16 | 1
Sue works 40 hours a day. | How many hours does Sue work per week? | 40 | 0
Sue works 40 hours a week. | How many hours does Sue work per week? | 40 | 1
She works 40 hours each week. | How many hours does Sue work per week? | 40 | 1
The pump moves 15 liters per hour. | How many liters does the pump move per minute? | 15 | 0
40% of the voters said no. | What percent of the voters said yes? | 40 | 0
In all, Dan paid $7. | Dan buys pens for $5. He also buys a cap for $2. How much did he pay in total? | 7 | 1
Gus spent $45 on gas. | How much did Gus spend on gas? | 45 | 1
Ivy has 9 coins more than Max. | How many coins does Ivy have? | 9 | 0
Ivy has 9 coins, 3 more than Max. | How many coins does Ivy have? | 9 | 1
Ivy has 9 coins, which is 3 more than Max. | How many coins does Ivy have? | 9 | 1
Ivy has 3 more coins than Max, so she has 9. | How many coins does Ivy have? | 9 | 1
Ivy has three times as many coins as Max. | How many coins does Ivy have? | 9 | 0
Ivy has 3 times as many coins as Max. | How many coins does Ivy have? | 3 | 0
Ivy has 3 more coins than Max. | How many more coins does Ivy have than Max? | 3 | 1
The pine is 12 feet taller than the oak. | How tall is the pine? | 12 | 0
The pine is 12 feet tall, 4 feet taller than the oak. | How tall is the pine? | 12 | 1
小华比小丽多20本书。 | 小华有多少本书？ | 20 | 0
小华有20本书，比小丽多5本。 | 小华有多少本书？ | 20 | 1
小华比小丽多5本书。 | 小华比小丽多多少本书？ | 5 | 1
兄は弟より15歳年上です。 | 兄は何歳ですか。 | 15 | 0
兄は15歳です。 | 兄は何歳ですか。 | 15 | 1
민수는 지우보다 사탕을 10개 더 가지고 있습니다. | 민수는 사탕을 몇 개 가지고 있습니까? | 10 | 0
민수는 지우보다 사탕을 10개 더 가지고 있습니다. | 민수는 지우보다 사탕을 몇 개 더 가지고 있습니까? | 10 | 1
Uwe hat 12 Bücher mehr als Eva. | Wie viele Bücher hat Uwe? | 12 | 0
Uwe hat 12 Bücher mehr als Eva. | Wie viele Bücher hat Uwe mehr als Eva? | 12 | 1
Théo a 12 billes de plus que Léo. | Combien de billes a Théo ? | 12 | 0
Raúl tiene 12 años más que Inés. | ¿Cuántos años tiene Raúl? | 12 | 0
У Оли на 12 марок больше, чем у Юры. | Сколько марок у Оли? | 12 | 0
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
Anna is 3 years older than her brother. | How old is Anna? | 3 | 0
Tom has 3 more marbles than Ben. | How many more marbles does Tom have than Ben? | 3 | 1
Tom has 2 more marbles than Ben. | How many more marbles does Tom have than Ben? | 3 | 0
Tom has 3 more marbles than Ben. | How many marbles does Tom have? | 3 | 0
Sam has 3 times as many stickers as Lee. | How many times as many stickers has Sam? | 3 | 1
Sam has 3 times as many stickers as Lee. | How many stickers has Sam? | 3 | 0
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
We have 5 choices, then 4, then 3, so we multiply to get | In how many ways can 5 people sit in a row? | 120 | ?
Seating five people one after the other gives | In how many ways can 5 people sit in a row? | 120 | ?
There are 5! = 120 ways. | In how many ways can 5 people sit in a row? | 120 | 1
There are 5! = 100 ways. | In how many ways can 5 people sit in a row? | 120 | 0
The discriminant is 4. Thus the roots are $x=\\frac{{8\\pm 2}}{{ | Find the roots of x^2-8x+15. | 3, 5 | ?
x^2-8x+15 = (x-3)(x-5), so x | Find the roots of x^2-8x+15. | 3, 5 | ?
x^2-8x+15 = (x-3)(x-5), so x = 3 or x = 5 | Find the roots of x^2-8x+15. | 3, 5 | 1
One day brings 35 × 4 = $140, and six days a total of $ | How much does it take in 6 days? | 840 | ?
One day brings 35 × 4 = $140, and six days a total of $840 | How much does it take in 6 days? | 840 | 1
One day brings 35 × 4 = $140, and six days a total of $740 | How much does it take in 6 days? | 840 | 0
It began on May 8; it ended on June 9. | When did it end? | June 9 | 1
It began on May 8; it ended on June 9. | When did it end? | May 8 | ?
It began on May 8; it ended on June 9. | When did it begin? | May 8 | 1
"""


@pytest.mark.parametrize("case", [line for line in CASES.splitlines() if line])
def test_the_question_decides(case):
    case = case.format(RABBITS=RABBITS, WINS=WINS, OLDER=OLDER, CAPITAL=CAPITAL)
    response, question, reference, label = (part.strip() for part in case.split(" | "))
    found = read_answer(response, reference, None, question)
    if found.answer is None:
        decided = False if found.reason in (NO_ANSWER, OTHER_ANSWER) else None
    else:
        decided = pool.decide(reference, found.answer).equal
        decided = None if found.reason and not decided else decided
    assert decided is {"1": True, "0": False, "?": None}[label], found
