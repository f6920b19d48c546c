"""Knows the names that cities, countries and oceans have in several languages: Lisboa, Lissabon and Lisbon."""

from __future__ import annotations

NAMES = """
    lisbon lisboa lissabon lisbonne лиссабон 里斯本 リスボン 리스본 λισαβονα
    rome roma rom rzym рим 罗马 ローマ 로마 ρωμη
    paris parigi париж 巴黎 パリ 파리 παρισι पेरिस
    london londres londra londyn londen лондон 伦敦 ロンドン 런던 λονδινο लंदन
    berlin berlino berlim берлин 柏林 ベルリン 베를린 βερολινο
    madrid madri madryt мадрид 马德里 マドリード 마드리드 μαδριτη
    vienna wien vienne viena wenen вена 维也纳 ウィーン 빈 βιεννη
    prague praha prag praga прага 布拉格 プラハ 프라하 πραγα
    warsaw warszawa warschau varsovie varsovia varsavia варшава 华沙 ワルシャワ 바르샤바 βαρσοβια
    moscow moskva moskau moscou moscu mosca moscovo москва 莫斯科 モスクワ 모스크바 μοσχα मास्को
    athens athina athen athenes atenas atene афины 雅典 アテネ 아테네 αθηνα
    brussels bruxelles brussel bruselas bruxelas брюссель 布鲁塞尔 ブリュッセル 브뤼셀 βρυξελλες
    copenhagen kobenhavn kopenhagen copenhague copenaghen копенгаген 哥本哈根 コペンハーゲン 코펜하겐 κοπεγχαγη
    stockholm estocolmo stoccolma стокгольм 斯德哥尔摩 ストックホルム 스톡홀름 στοκχολμη
    helsinki helsinque хельсинки 赫尔辛基 ヘルシンキ 헬싱키
    bern berne berna берн 伯尔尼 ベルン 베른
    budapest budapeste будапешт 布达佩斯 ブダペスト 부다페스트 βουδαπεστη
    bucharest bucuresti bukarest bucarest bucareste бухарест 布加勒斯特 ブカレスト βουκουρεστι
    belgrade beograd belgrad belgrado белград 贝尔格莱德 βελιγραδι
    kyiv kiev kiew киев київ 基辅 キエフ キーウ 키이우 κιεβο
    cairo kairo caire каир 开罗 カイロ 카이로 القاهرة καιρο
    beijing peking pekin pequim pechino пекин 北京 베이징 πεκινο बीजिंग
    tokyo tokio toquio токио 东京 東京 도쿄 τοκιο टोक्यो
    seoul seul сеул 首尔 ソウル 서울
    mexico_city ciudad_de_mexico cidade_do_mexico 墨西哥城 メキシコシティ
    havana habana havanna 哈瓦那 ハバナ
    munich munchen monaco_di_baviera мюнхен 慕尼黑 ミュンヘン 뮌헨
    cologne koln colonia 科隆 ケルン
    milan milano mailand милан 米兰 ミラノ
    naples napoli neapel napoles неаполь 那不勒斯 ナポリ
    florence firenze florenz florencia florenca флоренция 佛罗伦萨 フィレンツェ
    venice venezia venedig venise venecia veneza венеция 威尼斯 ヴェネツィア
    turin torino турин 都灵 トリノ
    geneva geneve genf ginebra ginevra женева 日内瓦 ジュネーヴ
    zurich zurigo цюрих 苏黎世 チューリッヒ
    seville sevilla siviglia севилья 塞维利亚
    new_york nueva_york nova_york nova_iorque нью-йорк 纽约 ニューヨーク 뉴욕
    canberra канберра 堪培拉 キャンベラ 캔버라
    sydney сидней 悉尼 シドニー 시드니 σιδνει
    ottawa otawa оттава 渥太华 オタワ 오타와
    washington вашингтон 华盛顿 ワシントン 워싱턴
    jerusalem gerusalemme иерусалим 耶路撒冷 القدس
    damascus damaskus damas damasco 大马士革 دمشق
    baghdad bagdad 巴格达 بغداد
    tehran teheran 德黑兰 طهران
    riyadh riad 利雅得 الرياض
    algiers alger algier argel 阿尔及尔 الجزائر_العاصمة
    new_delhi neu-delhi nueva_delhi 新德里 ニューデリー 뉴델리 nouvelle_delhi नई_दिल्ली нью-дели
    hanoi 河内 ハノイ 하노이
    bangkok 曼谷 バンコク 방콕
    singapore singapur singapour singapura сингапур 新加坡 シンガポール 싱가포르
    luxembourg luxemburg luxemburgo lussemburgo
    the_hague den_haag haag haya
    antwerp antwerpen anvers amberes anversa
    edinburgh edimburgo edimbourg эдинбург 爱丁堡 エディンバラ
    dublin dublino дублин 都柏林 ダブリン
    shanghai schanghai xangai 上海 シャンハイ 상하이 шанхай σαγκαη
    nanjing nanking 南京 난징
    guangzhou kanton canton 广州 광저우
    xian 西安 시안
    kyoto quioto 京都 교토 киото
    osaka 大阪 오사카 осака
    yokohama 横浜
    nagoya 名古屋
    busan pusan 부산 釜山 プサン
    incheon 인천
    daegu 대구
    hamburg hambourg hamburgo amburgo гамбург 汉堡
    frankfurt francfort
    barcelona barcelone barcellona барселона 巴塞罗那
    marseille marsella marsiglia marselha 马赛
    lyon lione 里昂
    thessaloniki salonica thessalonique θεσσαλονικη салоники
    oslo осло 奥斯陆 オスロ 오슬로 οσλο
    mumbai bombay मुंबई 孟买 мумбаи
    kolkata calcutta कोलकाता
    alexandria alexandrie alejandria الإسكندرية
    saint_petersburg sankt_petersburg санкт-петербург 圣彼得堡
    istanbul estambul стамбул 伊斯坦布尔 κωνσταντινουπολη
    ankara анкара 安卡拉 αγκυρα
    toronto торонто 多伦多
    melbourne мельбурн 墨尔本
    rio_de_janeiro 里约热内卢
    sao_paulo 圣保罗
    brasilia 巴西利亚
    germany federal_republic_of_germany deutschland allemagne alemania alemanha germania германия 德国 ドイツ 독일
    france frankreich francia franca франция 法国 フランス 프랑스 γαλλια
    spain spanien espagne espana espanha spagna испания 西班牙 スペイン 스페인 ισπανια
    italy italien italie italia италия 意大利 イタリア 이탈리아 ιταλια
    brazil brasil brasilien bresil brasile бразилия 巴西 ブラジル 브라질 βραζιλια ब्राज़ील
    japan japon japao giappone япония 日本 일본 ιαπωνια जापान
    china people's_republic_of_china chine cina китай 中国 중국 κινα चीन
    russia russian_federation russland russie rusia rossiya россия 俄罗斯 ロシア 러시아 ρωσια रूस
    egypt agypten egypte egipto egito egitto египет 埃及 エジプト 이집트 مصر αιγυπτος मिस्र
    india republic_of_india bharat indien inde индия 印度 インド 인도 ινδια भारत
    switzerland swiss_confederation schweiz suisse suiza suica svizzera швейцария 瑞士 スイス 스위스 ελβετια
    austria osterreich autriche австрия 奥地利 オーストリア 오스트리아 αυστρια
    australia australien australie австралия 澳大利亚 オーストラリア 호주 αυστραλια
    canada kanada канада 加拿大 カナダ 캐나다 καναδας
    greece hellenic_republic griechenland grece grecia греция 希腊 ギリシャ 그리스 ελλαδα
    netherlands kingdom_of_the_netherlands niederlande pays-bas paises_bajos holland 荷兰 オランダ 네덜란드 ολλανδια
    mexico united_mexican_states mexiko mexique messico мексика 墨西哥 メキシコ 멕시코
    argentina argentinien argentine аргентина 阿根廷 アルゼンチン 아르헨티나
    turkey turkiye turkei turquie turquia turchia турция 土耳其 トルコ 터키 튀르키예 τουρκια
    czechia czech_republic tschechien tchequie chequia чехия 捷克 チェコ 체코
    south_korea republic_of_korea sudkorea coree_du_sud corea_del_sur 韩国 韓国 한국 대한민국
    north_korea democratic_people's_republic_of_korea nordkorea coree_du_nord 朝鲜 北朝鮮
    ivory_coast cote_d'ivoire elfenbeinkuste costa_de_marfil
    myanmar burma birma birmanie birmania
    eswatini swaziland
    sri_lanka ceylon
"""
"""Names of one place in a row, without accents; _ stands for a space."""
