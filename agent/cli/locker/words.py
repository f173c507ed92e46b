"""What the locker itself says, by language. A school's message may be in any language; these are the
frame.
"""

from __future__ import annotations

from collections.abc import Mapping

DEFAULT = "en"
WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "title": "This laptop is locked",
        "contact": "Ask",
        "challenge": "Tell them this code",
        "answer": "Type the answer, then press Enter",
        "checking": "One moment…",
        "opened": "This laptop opens now.",
        "wrong-code": "That was not the answer. Ask for it again, letter by letter.",
        "too-soon": "Too many wrong answers.",
        "wait": "The next answer counts in",
        "failed": "The answer could not be looked at. Wait a minute, then try again.",
        "short": "An answer has ten letters and digits.",
        "letter": "No answer has this in it:",
        "erase": "Everything on it will be erased at",
        "open": "This laptop is open.",
    },
    "ar": {
        "title": "هذا الحاسوب مقفل",
        "contact": "اسأل",
        "challenge": "اقرأ لهم هذا الرمز",
        "answer": "اكتب الجواب ثم اضغط Enter",
        "checking": "لحظة…",
        "opened": "يُفتح الحاسوب الآن.",
        "wrong-code": "ليس هذا هو الجواب. اطلبه مرة أخرى حرفًا حرفًا.",
        "too-soon": "أجوبة خاطئة كثيرة.",
        "wait": "يُنظر في الجواب التالي بعد",
        "failed": "تعذّر النظر في الجواب. انتظر دقيقة ثم حاول مرة أخرى.",
        "short": "في الجواب عشرة أحرف وأرقام.",
        "letter": "لا يكون في الجواب:",
        "erase": "يُمحى كل ما عليه في",
        "open": "هذا الحاسوب مفتوح.",
    },
    "es": {
        "title": "Este portátil está bloqueado",
        "contact": "Pregunta a",
        "challenge": "Diles este código",
        "answer": "Escribe la respuesta y pulsa Intro",
        "checking": "Un momento…",
        "opened": "El portátil se abre ahora.",
        "wrong-code": "Esa no era la respuesta. Pídela otra vez, letra por letra.",
        "too-soon": "Demasiadas respuestas equivocadas.",
        "wait": "La siguiente respuesta cuenta dentro de",
        "failed": "No se pudo comprobar la respuesta. Espera un minuto y vuelve a intentarlo.",
        "short": "Una respuesta tiene diez letras y cifras.",
        "letter": "Ninguna respuesta contiene esto:",
        "erase": "Todo su contenido se borrará el",
        "open": "Este portátil está abierto.",
    },
    "fr": {
        "title": "Cet ordinateur est verrouillé",
        "contact": "Demande à",
        "challenge": "Dis-leur ce code",
        "answer": "Écris la réponse, puis appuie sur Entrée",
        "checking": "Un instant…",
        "opened": "L’ordinateur s’ouvre maintenant.",
        "wrong-code": "Ce n’était pas la réponse. Redemande-la, lettre par lettre.",
        "too-soon": "Trop de réponses fausses.",
        "wait": "La prochaine réponse comptera dans",
        "failed": "La réponse n’a pas pu être vérifiée. Attends une minute, puis réessaie.",
        "short": "Une réponse a dix lettres et chiffres.",
        "letter": "Aucune réponse ne contient ceci :",
        "erase": "Tout son contenu sera effacé le",
        "open": "Cet ordinateur est ouvert.",
    },
}


def say(language: str, key: str) -> str:
    """The words ``key`` in ``language``, or in English."""
    return WORDS.get(language, WORDS[DEFAULT])[key]
