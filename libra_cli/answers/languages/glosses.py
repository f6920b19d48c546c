"""The small words by which a sentence of another language asserts, adds up, reasons, denies and counts, in English.

A gloss is no translation: it lets the reader of English clauses find the main clause of a sentence in another language.
"""

from __future__ import annotations

_GLOSSES = {
    "de": """
        greater than or equal to: größer_oder_gleich größer_gleich größer_als_oder_gleich
        less than or equal to: kleiner_oder_gleich kleiner_gleich kleiner_als_oder_gleich
        is: ist heißt beträgt lautet ergibt entspricht wäre | are: sind | makes: macht ergeben machen
        has: hat enthält besitzt | have: haben | needs: braucht benötigt | costs: kostet kosten
        so: also daher somit damit folglich deshalb demnach mithin | then: dann
        in total: insgesamt zusammen | because: weil denn da | if: wenn falls sofern | while: während
        not: nicht kein keine keinen | instead: statt anstatt | without: ohne | or: oder | and: und
        for: für pro je | with: mit | of: von vom | the: der die das den dem des | a: ein eine einen
        about: etwa rund ungefähr circa ca | exactly: genau | only: nur | we: wir | there: es | after: nach
        from: aus | than: als | in: im | on: auf am bei | how many: wie_viele wie_viel wieviel
        at least: mindestens | at most: höchstens | but: aber sondern | to: zu zum
        more than: mehr_als | less than: weniger_als | greater than: größer_als | smaller than: kleiner_als
        at least: wenigstens | at most: maximal | up to: bis_zu | over: über | under: unter
        gets: erhält bekommt | get: erhalten bekommen | remain: bleibt bleiben verbleibt verbleiben
        gives: liefert liefern kommt_auf kommen_auf kommt_man_auf kommt_man_so_auf kommen_wir_auf kommt_er_auf
        gives: kommt_sie_auf beläuft_sich_auf belaufen_sich_auf summiert_sich_auf summieren_sich_auf
        gives: läuft_auf führt_auf führt_zu ergibt_sich | first: zuerst zunächst erst | keeps: behält
    """,
    "fr": """
        greater than or equal to: supérieur_ou_égal_à supérieure_ou_égale_à | greater than: plus_grand_que
        less than or equal to: inférieur_ou_égal_à inférieure_ou_égale_à | smaller than: plus_petit_que
        is: se_trouve s'appelle
        is: est vaut égale fait donne faut coûte | are: sont font donnent valent | has: a contient possède | have: ont
        so: donc ainsi d'où alors | so: par_conséquent | in total: en_tout au_total en_totalité
        because: car puisque parce_que comme | if: si | not: pas non | instead: au_lieu_de plutôt | or: ou | and: et
        for: pour | per: par | with: avec | of: de du des d | the: le la les l | a: un une
        about: environ approximativement | exactly: exactement | only: seulement | we: on nous | there: il y
        in: dans | than: que | how many: combien quel quelle quels quelles | at least: au_moins
        at most: au_plus | but: mais | to: à | namely: c'est-à-dire soit
        more than: plus_de plus_que | less than: moins_de moins_que | greater than: supérieur_à supérieure_à
        smaller than: inférieur_à inférieure_à | at least: au_minimum minimum | at most: au_maximum | up to: jusqu'à
        first: abord | then: puis ensuite | keeps: garde conserve
        gets: obtient | get: obtenons obtiennent | finds: trouve | find: trouvons | remain: reste restent
        gives: élève_à élèvent_à monte_à revient_à reviennent_à équivaut_à égal_à arrive_à arrivons_à arrivent_à
        gives: aboutit_à aboutissons_à conduit_à mène_à | among: sur parmi | minus: moins
    """,
    "es": """
        greater than or equal to: mayor_o_igual_que mayor_o_igual_a | less than or equal to: menor_o_igual_que
        less than or equal to: menor_o_igual_a
        is: es está vale equivale cuesta da resulta mide
        are: son están | there are: hay | has: tiene | have: tienen
        so: luego entonces así | so: por_tanto por_lo_tanto por_consiguiente así_que | in total: en_total
        because: porque pues ya_que puesto_que como | if: si | not: no | instead: en_vez_de en_lugar_de
        or: o u | and: y | for: para | per: por cada | with: con | of: de del | the: el la los las
        a: un una | about: aproximadamente unos | exactly: exactamente | only: sólo solo | in: en | than: que
        how many: cuántos cuántas cuánto cuál qué | at least: al_menos | at most: como_máximo a_lo_sumo
        but: pero sino | to: a al | namely: es_decir
        more than: más_de más_que | less than: menos_de menos_que | greater than: mayor_que mayor_de
        smaller than: menor_que menor_de | at least: por_lo_menos como_mínimo | up to: hasta
        gets: obtiene se_obtiene | get: obtenemos obtienen | remain: queda quedan quedarán quedarían sobra sobran restan
        gives: es_igual_a son_igual_a equivale_a equivalen_a asciende_a ascienden_a llega_a llegamos_a llegan_a
        gives: da_como_resultado dan_como_resultado nos_da nos_dan resulta_en arroja se_queda_con quedamos_con
        gets: obtienes se_obtienen | are: suman dan | gives: sale salen | minus: menos
        first: primero | keeps: conserva
    """,
    "pt": """
        greater than or equal to: maior_ou_igual_a maior_ou_igual_que | less than or equal to: menor_ou_igual_a
        less than or equal to: menor_ou_igual_que
        is: é está vale equivale custa dá resulta mede
        are: são estão existem | there are: há | has: tem | have: têm
        so: portanto logo então assim | so: por_isso | in total: no_total ao_todo
        because: porque pois já_que como | if: se | not: não | instead: em_vez_de | or: ou | and: e
        for: para | per: por cada | with: com | of: de do da dos das | the: o a os as | a: um uma
        about: aproximadamente cerca | exactly: exatamente | only: somente apenas só | in: em no na | than: que
        how many: quantos quantas quanto qual quais | at least: pelo_menos | at most: no_máximo | but: mas
        to: ao à | namely: isto_é ou_seja
        more than: mais_de mais_do_que mais_que | less than: menos_de menos_do_que
        greater than: maior_que maior_do_que
        smaller than: menor_que menor_do_que | at least: no_mínimo ao_menos | up to: até
        gets: obtém obtém-se se_obtém | get: obtemos obtêm se_obtêm | remain: resta restam restarão sobra sobram ficam
        gives: é_igual_a são_iguais_a equivale_a equivalem_a chega_a chegamos_a resulta_em nos_dá fica_com ficamos_com
        remain: fica sobraram | first: primeiro | minus: menos | are: totalizam somam dão
    """,
    "it": """
        greater than or equal to: maggiore_o_uguale_a | less than or equal to: minore_o_uguale_a
        is: è vale costa equivale dà fa misura | are: sono fanno valgono | there are: ci_sono | has: ha | have: hanno
        so: quindi dunque perciò pertanto allora | in total: in_totale in_tutto complessivamente
        because: perché poiché siccome | if: se | not: non | instead: invece anziché | or: o oppure | and: e ed
        for: per | per: ogni | with: con | of: di del della dei degli delle | the: il lo la i gli le | a: un una uno
        about: circa approssimativamente | exactly: esattamente | only: solo soltanto | in: nel nella | than: che
        how many: quanti quante quanto qual quale quali | at least: almeno | at most: al_massimo
        but: ma bensì | to: a al | namely: cioè ossia ovvero
        more than: più_di | less than: meno_di | greater than: maggiore_di | smaller than: minore_di
        at least: come_minimo | up to: fino_a
        gets: ottiene | get: otteniamo ottengono | remain: resta restano rimane rimangono avanzano
        gives: è_uguale_a è_pari_a ammonta_a ammontano_a equivale_a arriva_a arriviamo_a dà_come_risultato
        minus: meno | among: su | gets: si_ottiene si_ottengono | gives: risulta | first: prima | then: poi
    """,
    "nl": """
        greater than or equal to: groter_dan_of_gelijk_aan groter_of_gelijk_aan
        less than or equal to: kleiner_dan_of_gelijk_aan kleiner_of_gelijk_aan
        is: is bedraagt kost wordt | are: zijn | has: heeft | have: hebben | makes: maakt
        so: dus daarom daardoor | in total: in_totaal samen totaal | because: omdat want | if: als indien
        not: niet geen | instead: plaats | or: of | and: en | for: voor | per: per | with: met | of: van
        the: de het | a: een | about: ongeveer circa | exactly: precies | only: slechts alleen | there: er
        how many: hoeveel welke | at least: minstens | at most: hoogstens | but: maar | to: naar
        more than: meer_dan | less than: minder_dan | greater than: groter_dan | smaller than: kleiner_dan
        at least: ten_minste tenminste minimaal | at most: maximaal ten_hoogste | over: ruim boven | under: onder
        gets: krijgt | get: krijgen krijg_je | remain: blijft blijven resteren resteert houdt houden
        gives: geeft geven levert komt_uit_op komen_uit_op komt_neer_op komt_op komen_op
    """,
    "ru": """
        greater than or equal to: больше_или_равно больше_либо_равно | less than or equal to: меньше_или_равно
        less than or equal to: меньше_либо_равно
        is: равен равна равно равняется составляет это есть является получается получится будет стоит
        are: равны составляют получим получаем | has: имеет | how many: сколько | so: значит следовательно итак поэтому
        so: таким_образом | in total: всего итого вместе в_сумме в_итоге | because: потому так_как поскольку ибо
        if: если | not: не нет | instead: вместо | or: или либо | and: и | for: для за | with: с со | of: из
        about: примерно около приблизительно | exactly: ровно точно | only: только лишь | in: в во | than: чем
        at least: не_менее | at most: не_более | but: но а | to: к | namely: то_есть т.е
        more than: больше более больше_чем более_чем | less than: меньше менее меньше_чем менее_чем
        at least: не_меньше минимум по_крайней_мере | at most: не_больше максимум | over: свыше
        remain: осталось остается остаётся остаются останется останутся остался осталась остались
        gives: дает даёт дают даст дадут | get: имеем находим | first: сначала | then: затем потом | minus: минус
    """,
    "pl": """
        greater than or equal to: większe_lub_równe większy_lub_równy | less than or equal to: mniejsze_lub_równe
        is: jest wynosi równa kosztuje daje | are: są równe | has: ma | so: więc zatem czyli stąd
        in total: razem łącznie ogółem w_sumie | because: bo ponieważ gdyż | if: jeśli jeżeli gdy | not: nie
        instead: zamiast | or: lub albo | and: i oraz | for: dla za | with: z ze | about: około ok
        how many: ile jaki jaka jakie | exactly: dokładnie | only: tylko | in: w we | than: niż
        at least: co_najmniej | at most: co_najwyżej
        but: ale lecz | to: do
        more than: więcej_niż | less than: mniej_niż | greater than: większe_niż większa_niż
        smaller than: mniejsze_niż mniejsza_niż | at least: przynajmniej minimum | at most: maksymalnie
        over: ponad powyżej | under: poniżej
        remain: zostaje zostają zostało zostały zostanie pozostaje pozostało | get: otrzymujemy dostajemy
    """,
    "tr": """
        so: dolayısıyla öyleyse yani o_halde | in total: toplam toplamda | are: vardır | and: ve | or: veya
        because: çünkü | if: eğer | not: değil değildir | about: yaklaşık | is: eder eşittir | how many: kaç kaçtır
        remain: kalır kaldı kalıyor | minus: eksi | gives: elde_edilir
        at least: en_az | at most: en_çok en_fazla
    """,
    "ar": """
        is: هو هي يساوي تساوي يبلغ | so: إذن لذلك إذا | in: في | and: و | not: ليس لا | because: لأن | from: من
        gives: نحصل_على ينتج | remain: يتبقى بقي يبقى تبقى
        in total: المجموع | about: حوالي تقريبا | how many: كم
    """,
    "id": """
        is: adalah ialah sama_dengan | so: jadi maka sehingga | in total: total seluruhnya | because: karena
        gives: menghasilkan | get: diperoleh | remain: tersisa
        not: bukan tidak | and: dan | or: atau | of: dari | with: dengan | for: untuk
        how many: berapa | about: sekitar
    """,
    "sv": """
        greater than or equal to: större_än_eller_lika_med | less than or equal to: mindre_än_eller_lika_med
        is: är blir kostar | has: har | so: alltså därför därmed | in total: totalt sammanlagt
        because: eftersom | if: om | not: inte ej | or: eller | and: och | for: för | with: med | of: av
        the: det den | a: en ett | about: ungefär cirka | exactly: exakt | only: bara endast | there: finns
        how many: hur
        more than: mer_än fler_än | less than: mindre_än färre_än | greater than: större_än
        smaller than: mindre_än | at least: minst åtminstone | at most: högst maximalt | up to: upp_till
        over: över | under: under | but: men | remain: återstår | gives: ger | get: får
    """,
}
"""English words and what other languages write for them: a word, or several with _ between them."""
LONGEST = 5
"""Words of the longest row."""
SIGNS = {
    "等于": " equals ", "等於": " equals ", "一共有": " in total ", "一共": " in total ", "总共": " in total ",
    "總共": " in total ", "共计": " in total ", "合计": " in total ", "共有": " in total ", "全部で": " in total ",
    "合計": " in total ", "合わせて": " in total ", "모두": " in total ", "총": " in total ",
    "因为": " because ", "因為": " because ", "所以": " so ", "因此": " so ", "故": " so ", "于是": " so ",
    "したがって": " so ", "よって": " so ", "ゆえに": " so ", "따라서": " so ", "그러므로": " so ",
    "不是": " is not ", "而非": " , not ", "并非": " is not ", "而不是": " , not ", "即": " namely ",
}  # fmt: skip
"""The same for signs of Chinese, Japanese and Korean, wherever they stand."""
TASK_WORDS = {
    "de": frozenset(
        "man durch erhält berechne berechnen bestimme bestimmen löse lösen vereinfache vereinfachen wie viel viele"  # noqa: SIM905
        " ergibt ermittle ordne ordnen".split()
    ),
    "fr": frozenset(
        "calcule calculez calculer résous résolvez résoudre déterminer déterminez trouver trouvez simplifier"  # noqa: SIM905
        " simplifiez obtient obtenons combien vaut valent".split()
    ),
    "es": frozenset(
        "calcula calcule calcular resuelve resolver halla hallar simplifica obtiene obtenemos cuánto cuántos".split()  # noqa: SIM905
    ),
    "pt": frozenset("calcule calcular resolva resolver simplifique obtemos obtém quanto".split()),  # noqa: SIM905
    "it": frozenset(
        "calcola calcolare risolvi risolvere trova trovare semplifica ottiene otteniamo quanto".split()  # noqa: SIM905
    ),
    "nl": frozenset("bereken hoe kans vereenvoudig hoeveel".split()),  # noqa: SIM905
    "pl": frozenset("oblicz rozwiąż znajdź wyznacz uprość ile".split()),  # noqa: SIM905
    "sv": frozenset("beräkna lös bestäm förenkla hur".split()),  # noqa: SIM905
    "tr": frozenset("hesaplayın bulun çözün kaç".split()),  # noqa: SIM905
}
"""Words by which short tasks and their solutions tell their language."""
DECIMAL_COMMAS = ("de", "fr", "es", "pt", "it", "nl", "ru", "pl", "tr", "sv")
"""Languages that write a comma before decimal places."""


def _read(table: str) -> dict[tuple[str, ...], str]:
    """What each word, or row of words with _ between them, of a table is in English."""
    found, english = dict[tuple[str, ...], str](), ""
    for entry in table.replace("\n", " | ").split("|"):
        before, colon, after = entry.partition(":")
        english = before.strip() if colon else english
        found |= {tuple(word.split("_")): english for word in (after if colon else before).split()}
    return found


GLOSSES = {language: _read(table) for language, table in _GLOSSES.items()}
"""What each word, or row of words, of a language is in English."""
